// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

#include "imds/model/http_message.hpp"

namespace telemetry::imds {

/// Compares ASCII letters only, as HTTP does.
bool equals_ignoring_case(std::string_view a, std::string_view b);
/// Without the blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);
/// May the character be part of a method or of a header's name (RFC 9110, token)?
bool is_token_character(char c);
bool is_token(std::string_view text);

/// Stores a header in `head` if it is one of those that are used; others are ignored.
void note_header(Head& head, std::string_view name, std::string_view value);

} // namespace telemetry::imds
