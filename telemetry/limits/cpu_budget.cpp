// SPDX-License-Identifier: MIT
#include "telemetry/limits/cpu_budget.hpp"

#include <algorithm>

namespace telemetry {

namespace {

using namespace std::chrono_literals;

/// Longer than any debt takes to be paid, and no overflow when it is multiplied.
constexpr CpuBudget::Time longest_step = 100s;

} // namespace

CpuBudget::CpuBudget(unsigned percent)
    : percent_(std::clamp(percent, 1u, most_percent)), most_(share(250ms)), enough_(share(125ms)),
      far_too_little_(-share(500ms)), bearable_(-share(250ms)) {}

void CpuBudget::begin(Time wall, Time used) {
    last_wall_ = wall;
    last_used_ = used;
    left_ = most_;
    sheds_ = pauses_ = false;
}

void CpuBudget::note(Time wall, Time used) {
    const Time step = std::clamp(wall - last_wall_, Time(0), longest_step);
    left_ = std::min(left_ + share(step) - std::max(used - last_used_, Time(0)), most_);
    last_wall_ = wall;
    last_used_ = used;
    sheds_ = sheds_ ? left_ < enough_ : left_ < Time(0);
    pauses_ = pauses_ ? left_ < bearable_ : left_ < far_too_little_;
}

CpuBudget::Time CpuBudget::until_relief() const {
    if (!sheds_)
        return Time(0);
    return wall((pauses_ ? bearable_ : enough_) - left_) + Time(1);
}

} // namespace telemetry
