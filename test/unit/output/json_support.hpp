// SPDX-License-Identifier: MIT
// What a field of a JSON line had been.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "telemetry/base/escape.hpp"
#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"

namespace json_test {

using namespace telemetry;
using nlohmann::json;

inline std::string from_base64(const std::string& text) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const size_t digit = digits.find(c);
        if (digit == std::string::npos)
            throw std::runtime_error("no base64: " + text);
        bits = bits << 6 | static_cast<uint32_t>(digit);
        count += 6;
        if (count >= 8)
            bytes.push_back(static_cast<char>(bits >> (count -= 8)));
    }
    return bytes;
}

/// "a.b[2].c" as a JSON pointer.
inline json::json_pointer pointer_to(std::string_view field) {
    std::string pointer = "/";
    for (const char c : field) {
        if (c == '.' || c == '[')
            pointer.push_back('/');
        else if (c != ']')
            pointer.push_back(c);
    }
    return json::json_pointer(pointer);
}

/// The bytes that a field had, by what docs/output.md says: those in linux.telemetry.raw if it
/// is listed there, else those of the string.
inline std::string bytes_of(const json& object, const std::string& field) {
    const json& about = object.at("linux").at("telemetry");
    for (const json& raw : about.value("raw", json::array())) {
        if (raw.at("field") == field)
            return from_base64(raw.at("base64").get<std::string>());
    }
    return object.at(pointer_to(field)).get<std::string>();
}

class JsonFormatterTest : public testing::Test {
  protected:
    std::string line(const Event& event) { return samples::formatted(*formatter_, event); }
    json object(const Event& event) {
        const std::string out = line(event);
        EXPECT_EQ(out.find('\n'), out.size() - 1);
        for (const char c : out.substr(0, out.size() - 1))
            EXPECT_TRUE(static_cast<uint8_t>(c) >= 0x20 && c != 0x7f) << "a control character in " << out;
        return json::parse(out); // throws when it is not JSON, or not UTF-8
    }

    std::unique_ptr<Formatter> formatter_ = format_named("json").make(samples::context());
};

} // namespace json_test
