// SPDX-License-Identifier: MIT
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "telemetry/base/escape.hpp"

/// What a terminal or a log viewer takes for more than a character to show: written down here anew,
/// so that a mistake in the program's own table is seen.
inline bool is_dangerous(uint32_t c) {
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    const bool separator = c == 0x2028 || c == 0x2029;
    const bool bidi = c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                      (c >= 0x2066 && c <= 0x2069);
    const bool invisible = c == 0xad || (c >= 0x200b && c <= 0x200d) || c == 0x2060 || c == 0xfeff ||
                           (c >= 0xe0000 && c <= 0xe0fff);
    const bool non_character = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
    return control || separator || bidi || invisible || non_character;
}

/// One line, valid UTF-8, nothing in it that acts.
inline void expect_harmless(const std::string& line) {
    ASSERT_FALSE(line.empty());
    ASSERT_EQ(line.find('\n'), line.size() - 1) << line;
    const char* const end = line.data() + line.size() - 1;
    for (const char* at = line.data(); at < end;) {
        const telemetry::CodePoint character = telemetry::decode_utf8(at, end);
        ASSERT_NE(character.length, 0U) << "invalid UTF-8 in " << line;
        ASSERT_FALSE(is_dangerous(character.value)) << std::hex << character.value << " in " << line;
        at += character.length;
    }
}
