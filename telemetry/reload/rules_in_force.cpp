// SPDX-License-Identifier: MIT
#include "telemetry/reload/rules_in_force.hpp"

#include <utility>

namespace telemetry {

void RulesInForce::change(Rules next, uint64_t time) {
    previous_.emplace(std::exchange(current_, std::move(next)));
    since_ = time;
}

} // namespace telemetry
