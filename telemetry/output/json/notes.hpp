// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/event/event.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// What a reader should know about the fields of the line so far (read from user memory, cut, missing),
/// and the bytes of strings that are no UTF-8: members of linux.telemetry, each with a comma before it.
void put_json_notes(JsonLine& line, const Event& event);
/// False: there is nothing to write.
bool has_json_notes(const JsonLine& line, const Event& event);

} // namespace telemetry
