// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/structure.hpp"

namespace telemetry {

/// "now" and "omit" as utimensat(2) has them, or the time as in `timestamp`; what no clock shows, seconds and
/// nanoseconds with a point between.
void put_time_of_member(LineBuffer& line, const TimeOfMember& time);

/// Any member as text has it: flags, addresses and capabilities in hexadecimal, modes in octal.
/// @param bytes of the structure, which have the member
void put_member(LineBuffer& line, const StructureMember& member, std::string_view bytes);

} // namespace telemetry
