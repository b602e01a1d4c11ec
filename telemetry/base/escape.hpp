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

/// May the character be written unescaped? Not if it is a control, a line separator, invisible, changes the
/// direction of writing, or has no assigned meaning.
bool is_displayable(uint32_t code_point);

/// Writes any bytes so that they can stand between quotes in a text line, and can be recovered:
/// \" \\ \n \r \t, \u{HEX} for a character that is not displayable, \xHH for any other byte.
void put_text_escaped(LineBuffer& line, std::string_view bytes);

/// Text for a message: escaped like that, in double quotes, and cut after `longest` characters.
std::string in_quotes(std::string_view text, size_t longest = 48);

/// Writes any bytes as the content of a JSON string. Bytes that are not UTF-8 become \ufffd each; returns
/// false if there were any, so that the caller can add the bytes in another form.
bool put_json_escaped(LineBuffer& line, std::string_view bytes);

/// Base64 with padding, as RFC 4648 has it.
void put_base64(LineBuffer& line, std::string_view bytes);

} // namespace telemetry
