// SPDX-License-Identifier: MIT
#include "telemetry/account/summary.hpp"

#include <numeric>

namespace telemetry {

uint64_t Summary::lost_in_all() const {
    return std::accumulate(lost.begin(), lost.end(), uint64_t{0},
                           [](uint64_t sum, const auto& cause) { return sum + cause.second; });
}

int64_t Summary::imbalance() const {
    return static_cast<int64_t>(seen - filtered_in_kernel - filtered_by_rules - folded - emitted - in_flight -
                                lost_in_all());
}

} // namespace telemetry
