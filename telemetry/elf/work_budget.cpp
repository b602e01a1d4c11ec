// SPDX-License-Identifier: MIT
#include "telemetry/elf/work_budget.hpp"

#include <algorithm>

namespace telemetry {
namespace {

bool exceeds(const Work& used, const Work& limit) {
    return used.reads > limit.reads || used.bytes > limit.bytes || used.entries > limit.entries;
}

uint64_t sum(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

} // namespace

bool WorkBudget::read(uint64_t bytes) {
    if (is_spent_)
        return false;
    ++used_.reads;
    used_.bytes = sum(used_.bytes, bytes);
    return check();
}

bool WorkBudget::parse(uint64_t entries) {
    if (is_spent_)
        return false;
    used_.entries = sum(used_.entries, entries);
    return check();
}

void WorkBudget::charge(const Work& done) {
    used_ = {sum(used_.reads, done.reads), sum(used_.bytes, done.bytes), sum(used_.entries, done.entries)};
    is_spent_ = exceeds(used_, stop_);
}

bool WorkBudget::check() {
    is_spent_ = exceeds(used_, stop_);
    return !is_spent_;
}

WorkBudget::Operation::Operation(WorkBudget& budget, const Work& limit)
    : budget_(budget), stop_{sum(budget.used_.reads, limit.reads), sum(budget.used_.bytes, limit.bytes),
                             sum(budget.used_.entries, limit.entries)},
      outer_(budget.stop_) {
    budget_.stop_ = {std::min(stop_.reads, outer_.reads), std::min(stop_.bytes, outer_.bytes),
                     std::min(stop_.entries, outer_.entries)};
}

WorkBudget::Operation::~Operation() {
    budget_.stop_ = outer_;
    budget_.is_spent_ = exceeds(budget_.used_, outer_);
}

bool WorkBudget::Operation::is_too_much() const {
    return exceeds(budget_.used_, stop_);
}

void WorkShares::Account::fill(const Share& share, uint64_t now_ns) {
    constexpr uint64_t long_enough_us = 3'600'000'000;
    const auto size = static_cast<int64_t>(share.at_once);
    if (!since_ns) {
        left = size;
        since_ns = now_ns;
    } else if (now_ns < since_ns) { // the clock was set
        since_ns = now_ns;
    } else {
        const uint64_t passed_us = std::min((now_ns - since_ns) / 1000, long_enough_us);
        left = std::min(size, left + static_cast<int64_t>(passed_us * (share.per_second / 1'000'000)));
        since_ns += passed_us * 1000;
    }
}

bool WorkShares::has_left(const Process& process, uint64_t now_ns) {
    now_ns = std::max<uint64_t>(now_ns, 1);
    if (processes_.size() >= limits_.processes && !processes_.contains(process))
        processes_.clear(); // the bound of all together still holds
    Account& own = processes_[process];
    own.fill(limits_.process, now_ns);
    all_.fill(limits_.all, now_ns);
    return own.left > 0 && all_.left > 0;
}

void WorkShares::charge(const Process& process, uint64_t cost) {
    const auto taken = static_cast<int64_t>(std::min<uint64_t>(cost, INT64_MAX / 2));
    all_.left -= taken;
    if (const auto found = processes_.find(process); found != processes_.end())
        found->second.left -= taken;
}

} // namespace telemetry
