// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace telemetry {

/// A gap or a loss, reported in the stream as an event of its own.
struct LossEvent {
    uint64_t time_ns = 0;   ///< wall clock, ns since the epoch, when it was noticed
    std::string_view cause; ///< "buffer_full", ...
    uint64_t count = 0;
    int cpu = -1; ///< -1: not tied to one CPU
    /// All records that were lost have numbers between these two, each included.
    struct Gap {
        uint16_t slot = 0;
        uint64_t first = 0, last = 0;
        bool operator==(const Gap&) const = default;
    };
    std::optional<Gap> gap = std::nullopt; ///< none: what was lost had no numbers
};

} // namespace telemetry
