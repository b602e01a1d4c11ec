// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

namespace telemetry {

/// A sign of life in the stream, so that a host that has nothing to report differs from one that reports
/// nothing. It is no event: it is not part of its own balance, which has the events since the start.
struct Heartbeat {
    uint64_t time_ns = 0; ///< wall clock, ns since the epoch
    uint64_t number = 0;  ///< from 1
    uint64_t seen = 0;    ///< == filtered_in_kernel + filtered_by_rules + folded + emitted + lost + in_flight
    uint64_t filtered_in_kernel = 0;
    uint64_t filtered_by_rules = 0;
    uint64_t folded = 0;
    uint64_t emitted = 0;
    uint64_t lost = 0;
    uint64_t in_flight = 0;
};

/// How many lines one output has been given, so that who has them can count. It is a line of that output.
struct Checkpoint {
    uint64_t time_ns = 0;    ///< wall clock, ns since the epoch
    std::string_view output; ///< its name in the configuration
    uint64_t number = 0;     ///< from 1
    uint64_t lines = 0;      ///< of this run, before this one; checkpoints count
    uint64_t lost = 0;       ///< of these, those that the output could not keep, as far as it knows
    bool is_last = false;    ///< the run ends in order
};

} // namespace telemetry
