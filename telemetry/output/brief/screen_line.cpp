// SPDX-License-Identifier: MIT
#include "telemetry/output/brief/screen_line.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "telemetry/base/escape.hpp"

namespace telemetry {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr size_t ellipsis_columns = 2;

/// What words consist of that need no quotes to be seen as one.
constexpr auto of_words = [] {
    std::array<bool, 256> table{};
    for (const char c :
         std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,=%[]"))
        table[static_cast<uint8_t>(c)] = true;
    return table;
}();

bool is_plain(std::string_view bytes) {
    return !bytes.empty() &&
           std::ranges::all_of(bytes, [](char c) { return of_words[static_cast<uint8_t>(c)]; });
}

/// Of text without control characters: each byte takes one column.
bool is_ascii(std::string_view text) {
    constexpr uint64_t high_bits = 0x8080808080808080;
    uint64_t eight = 0;
    for (; text.size() >= sizeof(eight); text.remove_prefix(sizeof(eight))) {
        std::memcpy(&eight, text.data(), sizeof(eight));
        if (eight & high_bits)
            return false;
    }
    return std::ranges::all_of(text, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

CodePoint next(std::string_view text) {
    return decode_utf8(text.data(), text.data() + text.size());
}

} // namespace

void ScreenLine::clear(size_t columns, bool is_coloured) {
    line_.clear();
    columns_ = columns;
    used_ = reserved_ = 0;
    is_coloured_ = is_coloured;
}

size_t ScreenLine::width(std::string_view text) {
    if (is_ascii(text))
        return text.size();
    size_t columns = 0;
    while (!text.empty()) {
        const CodePoint point = next(text);
        columns += columns_of(point.length ? point.value : 0);
        text.remove_prefix(std::max<size_t>(point.length, 1));
    }
    return columns;
}

void ScreenLine::begin_colour(std::string_view in) {
    if (!is_coloured_ || in.empty())
        return;
    line_.put("\x1b[");
    line_.put(in);
    line_.put('m');
}

void ScreenLine::end_colour(std::string_view in) {
    if (is_coloured_ && !in.empty())
        line_.put("\x1b[0m");
}

/// As much as fits; what is cut ends with an ellipsis.
void ScreenLine::append(std::string_view text, size_t most) {
    most = std::min(most, room());
    if (is_ascii(text))
        append_ascii(text, most);
    else
        append_wide(text, most);
}

void ScreenLine::append_ascii(std::string_view text, size_t most) {
    if (text.size() <= most) [[likely]] {
        line_.put(text);
        used_ += text.size();
        return;
    }
    if (most < ellipsis_columns)
        return;
    line_.put(text.substr(0, most - ellipsis_columns));
    line_.put(ellipsis);
    used_ += most;
}

void ScreenLine::append_wide(std::string_view text, size_t most) {
    const bool fits = width(text) <= most;
    if (!fits && most < ellipsis_columns)
        return;
    const size_t for_text = fits ? most : most - ellipsis_columns;
    size_t columns = 0;
    while (!text.empty()) {
        const CodePoint point = next(text);
        const size_t length = std::max<size_t>(point.length, 1), wide = columns_of(point.value);
        if (columns + wide > for_text)
            break;
        line_.put(text.substr(0, length));
        columns += wide;
        text.remove_prefix(length);
    }
    used_ += columns;
    if (fits)
        return;
    line_.put(ellipsis);
    used_ += ellipsis_columns;
}

void ScreenLine::put(std::string_view words, std::string_view in) {
    if (words.empty())
        return;
    begin_colour(in);
    append_ascii(words, room());
    end_colour(in);
}

void ScreenLine::put_text(std::string_view bytes, size_t room, std::string_view in) {
    begin_colour(in);
    if (is_plain(bytes)) {
        append_ascii(bytes, std::min(room, this->room()));
    } else {
        escaped_.clear();
        escaped_.put('"');
        put_text_escaped(escaped_, bytes.substr(0, 4096)); // no screen is wider
        escaped_.put('"');
        append(escaped_.view(), room);
    }
    end_colour(in);
}

void ScreenLine::put_number(int64_t value) {
    escaped_.clear();
    escaped_.put_signed(value);
    append_ascii(escaped_.view(), room());
}

void ScreenLine::put_ellipsis() {
    append(ellipsis, SIZE_MAX);
}

void ScreenLine::pad_to(size_t column) {
    if (used_ >= column)
        return;
    const size_t blanks = std::min(column - used_, room());
    char* const to = line_.room(blanks);
    std::memset(to, ' ', blanks);
    line_.advance_to(to + blanks);
    used_ += blanks;
}

std::string_view ScreenLine::end() {
    line_.put('\n');
    return line_.view();
}

} // namespace telemetry
