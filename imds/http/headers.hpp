// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

#include "imds/model/http_message.hpp"

namespace telemetry::imds {

/// ASCII only, as HTTP has it.
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// Blanks and tabulators off both ends.
std::string_view trimmed(std::string_view text);
/// A character of a method or a header's name.
bool is_token_character(char c);
bool is_token(std::string_view text);

/// Notes a header in `head`, if it is one that matters; others are dropped here.
void note_header(Head& head, std::string_view name, std::string_view value);

} // namespace telemetry::imds
