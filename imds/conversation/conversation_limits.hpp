// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

namespace telemetry::imds {

struct ConversationLimits {
    size_t held_bytes = 64 * 1024; ///< memory for heads and bodies that are not reported yet
    size_t body_bytes = 32 * 1024; ///< how much of one body is stored
    size_t pending = 1024;         ///< requests without a response
    uint64_t timeout_ns = 60'000'000'000;
    uint64_t silence_ns = 5'000'000'000; ///< a connection without a request is reported after this time
};

struct ConversationCounters {
    uint64_t exchanges = 0;
    uint64_t without_exchange = 0; ///< connections
    uint64_t gap_bytes = 0;        ///< bytes that moved but were not captured
    uint64_t lost_positions = 0;   ///< how often a parser lost its position
    uint64_t cut_heads = 0;        ///< heads that exceeded the limits
    uint64_t cut_bodies = 0;       ///< bodies that were stored in part
    uint64_t reported_early = 0;   ///< requests reported without response, because of the limits
    uint64_t informational = 0;    ///< responses 1xx
};

} // namespace telemetry::imds
