// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Reads a line of the text format back, by what docs/output.md says and nothing else.
namespace text_line {

struct Value {
    enum class Kind { word, string, list } kind = Kind::word;
    std::string text; ///< of a word or a string
    std::vector<std::string> strings;

    bool operator==(const Value&) const = default;
};

inline Value word(std::string text) {
    return {Value::Kind::word, std::move(text), {}};
}
inline Value string(std::string text) {
    return {Value::Kind::string, std::move(text), {}};
}
inline Value list(std::vector<std::string> strings) {
    return {Value::Kind::list, {}, std::move(strings)};
}

using Fields = std::vector<std::pair<std::string, Value>>;

class Parser {
  public:
    explicit Parser(std::string_view line) : rest_(line) {}

    Fields fields() {
        Fields all;
        for (;;) {
            std::string name = until("=");
            expect('=');
            all.emplace_back(std::move(name), value());
            if (next() == '\n')
                break;
            expect(' ');
        }
        expect('\n');
        if (!rest_.empty())
            throw std::runtime_error("more than one line");
        return all;
    }

  private:
    char next() const {
        if (rest_.empty())
            throw std::runtime_error("the line ends early");
        return rest_.front();
    }
    char take() {
        const char c = next();
        rest_.remove_prefix(1);
        return c;
    }
    void expect(char c) {
        if (take() != c)
            throw std::runtime_error(std::string("expected ") + c + " before " + std::string(rest_));
    }
    std::string until(std::string_view ends) {
        const size_t end = rest_.find_first_of(ends);
        if (end == 0 || end == std::string_view::npos)
            throw std::runtime_error("a name or word is missing before " + std::string(rest_));
        std::string taken(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return taken;
    }
    Value value() {
        if (next() == '"')
            return string(in_quotes());
        if (next() != '[')
            return word(until(" \n"));
        take();
        std::vector<std::string> strings;
        while (next() != ']') {
            if (!strings.empty())
                expect(',');
            strings.push_back(in_quotes());
        }
        take();
        return list(std::move(strings));
    }
    std::string in_quotes() {
        std::string bytes;
        expect('"');
        while (next() != '"') {
            const char c = take();
            if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f)
                throw std::runtime_error("a control character in a string");
            if (c == '\\')
                escape(bytes);
            else
                bytes.push_back(c);
        }
        take();
        return bytes;
    }
    void escape(std::string& bytes) {
        switch (const char c = take()) {
        case '"':
        case '\\':
            bytes.push_back(c);
            break;
        case 'n':
            bytes.push_back('\n');
            break;
        case 'r':
            bytes.push_back('\r');
            break;
        case 't':
            bytes.push_back('\t');
            break;
        case 'x': {
            std::string digits = {take()};
            digits.push_back(take());
            bytes.push_back(static_cast<char>(number(digits)));
            break;
        }
        case 'u':
            expect('{');
            utf8(number(until("}")), bytes);
            expect('}');
            break;
        default:
            throw std::runtime_error("unknown escape");
        }
    }
    static uint32_t number(const std::string& digits) {
        if (digits.find_first_not_of("0123456789abcdef") != std::string::npos)
            throw std::runtime_error("no lower-case hex: " + digits);
        return static_cast<uint32_t>(std::stoul(digits, nullptr, 16));
    }
    static void utf8(uint32_t value, std::string& bytes) {
        const auto put = [&](uint32_t byte) { bytes.push_back(static_cast<char>(byte)); };
        if (value < 0x800) {
            put(0xc0 | value >> 6);
        } else if (value < 0x10000) {
            put(0xe0 | value >> 12);
            put(0x80 | (value >> 6 & 0x3f));
        } else {
            put(0xf0 | value >> 18);
            put(0x80 | (value >> 12 & 0x3f));
            put(0x80 | (value >> 6 & 0x3f));
        }
        put(0x80 | (value & 0x3f));
    }

    std::string_view rest_;
};

inline Fields parse(std::string_view line) {
    return Parser(line).fields();
}

/// The value of a field; throws when there is none or more than one of that name.
inline Value field(const Fields& fields, std::string_view name) {
    const Value* found = nullptr;
    for (const auto& [key, value] : fields) {
        if (key != name)
            continue;
        if (found)
            throw std::runtime_error("twice: " + key);
        found = &value;
    }
    if (!found)
        throw std::runtime_error("absent: " + std::string(name));
    return *found;
}

inline bool has(const Fields& fields, std::string_view name) {
    for (const auto& [key, value] : fields) {
        if (key == name)
            return true;
    }
    return false;
}

} // namespace text_line
