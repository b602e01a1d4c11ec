// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/base/line_buffer.hpp"

namespace telemetry {

/// A UTF-8 sequence as RFC 3629 allows it: no overlong forms, no surrogates.
struct CodePoint {
    uint32_t value = 0;
    uint32_t length = 0; ///< bytes; 0 when there is no valid sequence
};
CodePoint decode_utf8(const char* bytes, const char* end);

/// May the character stand in a line as it is? No controls, no line separators, nothing
/// that is invisible, that turns the direction of writing, or that has no agreed meaning.
bool is_displayable(uint32_t code_point);

/// Puts any bytes so that they can stand between quotes in a text line, and the bytes can be recovered:
/// \" \\ \n \r \t, \u{HEX} for a character that must not be shown, \xHH for any other byte.
void put_text_escaped(LineBuffer& line, std::string_view bytes);

/// Text for a message: escaped like that, in double quotes, and cut after `longest` characters.
std::string quoted(std::string_view text, size_t longest = 48);

/// Puts any bytes as the inside of a JSON string. Bytes that are no UTF-8 become \ufffd each;
/// false when there were any: the reader then needs the bytes by another way.
bool put_json_escaped(LineBuffer& line, std::string_view bytes);

/// Base64 with padding, as RFC 4648 has it.
void put_base64(LineBuffer& line, std::string_view bytes);

} // namespace telemetry
