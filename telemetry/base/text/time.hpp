// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace telemetry {

/// Nanoseconds since 1970 of a time as RFC 3339 has it, in UTC, such as "2026-11-21T21:16:05.000000042Z";
/// none of anything else.
std::optional<int64_t> nanoseconds_of(std::string_view text);

} // namespace telemetry
