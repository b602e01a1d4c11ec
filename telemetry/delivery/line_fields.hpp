// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

namespace telemetry {

/// The value of event.id in a line that a JSON formatter of this program made; empty if it has none.
std::string_view event_id_of(std::string_view line);
/// The value of @timestamp in such a line, nanoseconds since 1970; 0 if it has none.
uint64_t time_of(std::string_view line);

} // namespace telemetry
