// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

namespace telemetry {

/// The value of event.id in a line of JSON of ours; empty when there is none.
std::string_view event_id_of(std::string_view line);
/// The time in such a line, ns since the epoch; 0 when there is none.
uint64_t time_of(std::string_view line);

} // namespace telemetry
