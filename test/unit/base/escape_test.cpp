// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstring>
#include <ctime>
#include <iomanip>
#include <random>
#include <sstream>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/line_buffer.hpp"

using namespace telemetry;

namespace {

std::string text(std::string_view bytes) {
    LineBuffer line;
    put_text_escaped(line, bytes);
    return std::string(line.view());
}

std::string json(std::string_view bytes, bool* is_utf8 = nullptr) {
    LineBuffer line;
    const bool valid = put_json_escaped(line, bytes);
    if (is_utf8)
        *is_utf8 = valid;
    return std::string(line.view());
}

std::string base64(std::string_view bytes) {
    LineBuffer line;
    put_base64(line, bytes);
    return std::string(line.view());
}

std::string utf8(uint32_t code_point) {
    std::string bytes;
    if (code_point < 0x80) {
        bytes.push_back(static_cast<char>(code_point));
        return bytes;
    }
    const int more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    const uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    bytes.push_back(static_cast<char>(lead[more] | code_point >> (6 * more)));
    for (int i = more - 1; i >= 0; --i)
        bytes.push_back(static_cast<char>(0x80 | (code_point >> (6 * i) & 0x3f)));
    return bytes;
}

} // namespace

TEST(Escape, PlainTextStaysAsItIs) {
    std::string plain;
    for (char c = 0x20; c < 0x7f; ++c) {
        if (c != '"' && c != '\\')
            plain.push_back(c);
    }
    EXPECT_EQ(text(plain), plain);
    EXPECT_EQ(json(plain), plain);
    EXPECT_EQ(text("grüße/日本語/😀"), "grüße/日本語/😀");
}

TEST(Escape, Text) {
    EXPECT_EQ(text("\"\\\n\r\t"), R"(\"\\\n\r\t)");
    EXPECT_EQ(text(std::string_view("\0\x01\x1b\x7f", 4)), R"(\x00\x01\x1b\x7f)");
    EXPECT_EQ(text("\u0085\u202e\u2028\U0010ffff"), R"(\u{85}\u{202e}\u{2028}\u{10ffff})");
    EXPECT_EQ(text("a\xff\xe2\x82z"), R"(a\xff\xe2\x82z)");
}

TEST(Escape, Json) {
    bool valid = false;
    EXPECT_EQ(json("\"\\\n\r\t\b\f", &valid), R"(\"\\\n\r\t\b\f)");
    EXPECT_TRUE(valid);
    EXPECT_EQ(json(std::string_view("\0\x1b\x7f", 3)), R"(\u0000\u001b\u007f)");
    EXPECT_EQ(json("\u2028\U000e0041", &valid), R"(\u2028\udb40\udc41)");
    EXPECT_TRUE(valid);
    EXPECT_EQ(json("a\xff\xe2\x82z", &valid), R"(a\ufffd\ufffd\ufffdz)");
    EXPECT_FALSE(valid);
}

/// The scan takes 16, 8 and 1 byte at a time: a special byte must be seen at every place.
TEST(Escape, EveryPlaceOfASpecialByte) {
    for (size_t length = 0; length <= 70; ++length) {
        ASSERT_EQ(text(std::string(length, 'x')), std::string(length, 'x'));
        for (size_t at = 0; at < length; ++at) {
            for (const char special : {'\n', '"', '\\', '\x7f', '\x1f', '\x80', '\xff'}) {
                const std::vector<char> exact = [&] {
                    std::vector<char> bytes(length, 'x');
                    bytes[at] = special;
                    return bytes;
                }();
                const std::string_view bytes(exact.data(), exact.size());
                const std::string escaped = text(std::string_view(&special, 1));
                ASSERT_GE(escaped.size(), 2U);
                ASSERT_EQ(text(bytes), std::string(at, 'x') + escaped + std::string(length - at - 1, 'x'));
            }
        }
    }
}

TEST(Escape, DecodesAllOfUtf8AndNothingElse) {
    for (uint32_t code_point = 0; code_point <= 0x10ffff; ++code_point) {
        const std::string bytes = utf8(code_point);
        const CodePoint decoded = decode_utf8(bytes.data(), bytes.data() + bytes.size());
        if (code_point >= 0xd800 && code_point <= 0xdfff) {
            ASSERT_EQ(decoded.length, 0U);
        } else {
            ASSERT_EQ(decoded.value, code_point);
            ASSERT_EQ(decoded.length, bytes.size());
        }
    }
    for (const char* bytes :
         {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe1\x80",
          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff"})
        EXPECT_EQ(decode_utf8(bytes, bytes + strlen(bytes)).length, 0U) << text(bytes);
}

TEST(Escape, WhatIsHidden) {
    for (const uint32_t shown : {0x20U, 0x41U, 0x7eU, 0xa1U, 0xacU, 0xaeU, 0xe9U, 0x5d0U, 0x627U, 0x4e2dU,
                                 0xd7ffU, 0xf900U, 0xfffdU, 0x1f600U, 0x20000U})
        EXPECT_TRUE(is_displayable(shown)) << std::hex << shown;
    for (const uint32_t hidden :
         {0x0U,    0x1fU,   0x7fU,   0x80U,   0x9fU,   0xa0U,    0xadU,    0x61cU,   0x200bU,  0x200eU,
          0x200fU, 0x2028U, 0x2029U, 0x202aU, 0x202eU, 0x2060U,  0x2066U,  0x2069U,  0x3000U,  0xe000U,
          0xf8ffU, 0xfdd0U, 0xfeffU, 0xfffeU, 0xffffU, 0x1fffeU, 0xe0001U, 0xe0041U, 0xf0000U, 0x10ffffU})
        EXPECT_FALSE(is_displayable(hidden)) << std::hex << hidden;
}

TEST(Escape, Base64) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(LineBuffer, Numbers) {
    const auto made = [](auto put) {
        LineBuffer line;
        put(line);
        return std::string(line.view());
    };
    for (const uint64_t value : {0UL, 9UL, 10UL, 99UL, 100UL, 12345UL, 4294967295UL, UINT64_MAX}) {
        EXPECT_EQ(made([&](LineBuffer& line) { line.put_decimal(value); }), std::to_string(value));
        std::ostringstream hex, octal;
        hex << std::hex << value;
        octal << std::oct << value;
        EXPECT_EQ(made([&](LineBuffer& line) { line.put_hex(value); }), hex.str());
        EXPECT_EQ(made([&](LineBuffer& line) { line.put_octal(value); }), octal.str());
    }
    for (const int64_t value : {int64_t(0), int64_t(-1), INT64_MIN, INT64_MAX})
        EXPECT_EQ(made([&](LineBuffer& line) { line.put_signed(value); }), std::to_string(value));
}

TEST(LineBuffer, GrowsAndKeepsWhatItHas) {
    LineBuffer line;
    std::string expected;
    for (int i = 0; i < 20000; ++i) {
        line.put("0123456789");
        expected += "0123456789";
    }
    EXPECT_EQ(line.view(), expected);
    line.cut(3);
    EXPECT_EQ(line.view(), "012");
    line.clear();
    EXPECT_EQ(line.view(), "");
    EXPECT_EQ(line.last(), '\0');
}

TEST(Timestamp, AgreesWithTheLibrary) {
    Timestamp timestamp;
    std::mt19937_64 random(1);
    for (int round = 0; round < 20000; ++round) {
        const uint64_t ns = round % 3 ? random() : round % 2 ? 1'709'164'800'000'000'000 : UINT64_MAX;
        const auto second = static_cast<time_t>(ns / 1'000'000'000);
        tm utc = {};
        gmtime_r(&second, &utc);
        std::ostringstream expected;
        expected << std::put_time(&utc, "%Y-%m-%dT%H:%M:%S.") << std::setw(9) << std::setfill('0')
                 << ns % 1'000'000'000 << 'Z';
        LineBuffer line;
        timestamp.put(line, ns);
        ASSERT_EQ(line.view(), expected.str());
    }
}
