// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/rules/cursor.hpp"
#include "telemetry/rules/syntax.hpp"

namespace telemetry::rules {

/// Reads what the comparison compares with, as its type asks; in a set text without quotes ends before
/// a comma or brace. Throws Mistake.
void read_value(Cursor& cursor, const SourceText& source, Comparison& comparison, bool in_set = false);
/// Reads the name that follows the word `key`. Throws Mistake.
std::string read_key(Cursor& cursor, const SourceText& source);

} // namespace telemetry::rules
