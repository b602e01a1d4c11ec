// SPDX-License-Identifier: MIT
#include "telemetry/health/lag.hpp"

#include <algorithm>

namespace telemetry {

void Lag::note(uint64_t ns) {
    ++counts_[static_cast<size_t>(std::ranges::lower_bound(bounds, ns) - bounds.begin())];
    sum_ += ns;
}

} // namespace telemetry
