// SPDX-License-Identifier: MIT
#include "imds/judge/body_fields.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "imds/judge/event.hpp"
#include "imds/judge/redaction.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t most_strings = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}
bool is_word(char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
}
bool is_time(char c) {
    return is_digit(c) || c == 'T' || c == 'Z' || c == ':' || c == '-' || c == '+' || c == '.' || c == ' ';
}
bool is_audience(char c) {
    return is_word(c) || c == ':' || c == '/';
}

/// The form that a value must have to be reported, so that a token in the wrong field is not.
struct Allowed {
    std::string_view key;
    bool (*character)(char);
    size_t longest;
};
constexpr Allowed allowed[body_field_names.size()] = {
    // in the order of these
    {"Code", is_word, 64},          {"Type", is_word, 64},       {"AccessKeyId", is_word, 128},
    {"LastUpdated", is_time, 40},   {"Expiration", is_time, 40}, {"token_type", is_alphanumeric, 16},
    {"expires_in", is_digit, 20},   {"expires_on", is_time, 40}, {"client_id", is_word, 64},
    {"resource", is_audience, 256},
};

/// Reads JSON that may be truncated, or not JSON at all. Each step fails at the end of the text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool take(char c) {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }

    /// Reads a string, without its quotes; escapes are not decoded.
    bool take_string(std::string_view& value) {
        if (!take('"'))
            return false;
        const size_t begin = at_;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\')
                ++at_;
            else if (text_[at_] == '"') {
                value = text_.substr(begin, at_++ - begin);
                return true;
            }
        }
        return false;
    }

    /// Reads a number or a word. Fails if it is the last of the text, since more of it may be missing.
    bool take_plain(std::string_view& value) {
        skip_blanks();
        const size_t begin = at_;
        while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '+'))
            ++at_;
        value = text_.substr(begin, at_ - begin);
        return at_ > begin && at_ < text_.size();
    }

    /// Skips an object or array with everything in it.
    bool skip_nested() {
        size_t depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            std::string_view ignored;
            if (c == '"') {
                if (!take_string(ignored))
                    return false;
                continue;
            }
            ++at_;
            depth += c == '{' || c == '[';
            if ((c == '}' || c == ']') && --depth == 0)
                return true;
        }
        return false;
    }

    /// Finds the next string, at any depth; the last one may be truncated.
    bool find_string(std::string_view& value) {
        at_ = std::min(text_.find('"', at_), text_.size());
        const size_t begin = at_ + 1;
        if (at_ == text_.size())
            return false;
        if (!take_string(value))
            value = text_.substr(std::min(begin, text_.size()));
        return true;
    }

    bool is_nested() {
        skip_blanks();
        return at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[');
    }
    bool is_string() {
        skip_blanks();
        return at_ < text_.size() && text_[at_] == '"';
    }

  private:
    void skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
            ++at_;
    }

    std::string_view text_;
    size_t at_ = 0;
};

/// The four digits behind "\u".
std::optional<uint32_t> parse_unit(std::string_view text) {
    uint32_t unit = 0;
    if (text.size() < 4)
        return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, unit, 16);
    return error == std::errc() && end == text.data() + 4 ? std::optional(unit) : std::nullopt;
}

void put_utf8(std::string& out, uint32_t character) {
    const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (character < 0x80)
        return put(character);
    if (character < 0x800) {
        put(0xc0 | character >> 6);
    } else if (character < 0x10000) {
        put(0xe0 | character >> 12);
        put(0x80 | (character >> 6 & 0x3f));
    } else {
        put(0xf0 | character >> 18);
        put(0x80 | (character >> 12 & 0x3f));
        put(0x80 | (character >> 6 & 0x3f));
    }
    put(0x80 | (character & 0x3f));
}

/// Puts the character of an escape that begins with "\u"; returns its length, or 0 if it is no valid escape.
size_t put_unicode(std::string& out, std::string_view text) {
    const auto unit = parse_unit(text.substr(2));
    if (!unit)
        return 0;
    const bool is_high = *unit >= 0xd800 && *unit < 0xdc00;
    const auto low = is_high && text.substr(6).starts_with("\\u") ? parse_unit(text.substr(8)) : std::nullopt;
    if (low && *low >= 0xdc00 && *low < 0xe000) {
        put_utf8(out, 0x10000 + ((*unit - 0xd800) << 10 | (*low - 0xdc00)));
        return 12;
    }
    put_utf8(out, *unit);
    return 6;
}

void add(std::vector<FoundField>& fields, std::string_view key, std::string_view value) {
    const auto* field = std::ranges::find(allowed, key, &Allowed::key);
    if (field == std::end(allowed) || fields.size() >= std::size(allowed))
        return;
    std::string plain = unescaped(value);
    const bool is_shown = plain.size() <= field->longest && std::ranges::all_of(plain, field->character);
    fields.push_back(
        {static_cast<size_t>(field - allowed), is_shown ? std::move(plain) : redacted(value.size())});
}

} // namespace

std::string unescaped(std::string_view string) {
    constexpr std::string_view escapes = "\"\\/bfnrt", characters = "\"\\/\b\f\n\r\t";
    std::string plain;
    while (!string.empty()) {
        const size_t backslash = std::min(string.find('\\'), string.size());
        plain.append(string.substr(0, backslash));
        string.remove_prefix(backslash);
        if (string.empty())
            break;
        size_t length = 0;
        if (string.starts_with("\\u"))
            length = put_unicode(plain, string);
        else if (const size_t escape = string.size() > 1 ? escapes.find(string[1]) : escapes.npos;
                 escape != escapes.npos)
            plain.push_back(characters[escape]), length = 2;
        if (length == 0)
            plain.push_back('\\'), length = 1;
        string.remove_prefix(length);
    }
    return plain;
}

std::vector<std::string_view> find_secret_strings(std::string_view body) {
    std::vector<std::string_view> strings;
    const size_t begin = body.find_first_not_of(" \t\r\n");
    if (begin == body.npos || (body[begin] != '{' && body[begin] != '['))
        return strings;
    Scanner scanner(body.substr(begin));
    std::string_view key;
    for (;;) {
        std::string_view string;
        if (!scanner.find_string(string))
            return strings;
        if (scanner.take(':')) {
            key = string;
            continue;
        }
        if (std::ranges::find(allowed, key, &Allowed::key) == std::end(allowed))
            strings.push_back(string);
        if (strings.size() >= most_strings)
            return strings;
    }
}

std::vector<std::string> find_secrets(std::string_view body) {
    std::vector<std::string> secrets;
    for (const std::string_view string : find_secret_strings(body))
        secrets.push_back(unescaped(string));
    if (secrets.empty() && body.find('{') == body.npos)
        secrets.emplace_back(body);
    return secrets;
}

std::vector<FoundField> find_body_fields(std::string_view body) {
    std::vector<FoundField> fields;
    Scanner scanner(body);
    if (!scanner.take('{'))
        return fields;
    do {
        std::string_view key, value;
        if (!scanner.take_string(key) || !scanner.take(':'))
            return fields;
        if (scanner.is_nested()) {
            if (!scanner.skip_nested())
                return fields;
            continue;
        }
        const bool is_whole = scanner.is_string() ? scanner.take_string(value) : scanner.take_plain(value);
        if (!is_whole)
            return fields;
        add(fields, key, value);
    } while (scanner.take(','));
    return fields;
}

} // namespace telemetry::imds
