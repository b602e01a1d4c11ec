// SPDX-License-Identifier: MIT
#include "telemetry/output/brief/screen_line.hpp"

#include <algorithm>

#include "telemetry/base/escape.hpp"

namespace telemetry {
namespace {

constexpr std::string_view ellipsis = "…";
constexpr size_t ellipsis_columns = 2;

/// Does it need no quotes to be seen as one word?
bool is_plain(std::string_view bytes) {
    const auto is_word = [](char c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return is_letter || std::string_view("/._-+:@,=%[]").find(c) != std::string_view::npos;
    };
    return !bytes.empty() && std::ranges::all_of(bytes, is_word);
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

size_t ScreenLine::room() const {
    if (!columns_)
        return SIZE_MAX / 2;
    return columns_ > used_ + reserved_ ? columns_ - used_ - reserved_ : 0;
}

size_t ScreenLine::width(std::string_view text) {
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
    append(words, SIZE_MAX);
    end_colour(in);
}

void ScreenLine::put_text(std::string_view bytes, size_t room, std::string_view in) {
    begin_colour(in);
    if (is_plain(bytes)) {
        append(bytes, room);
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
    append(escaped_.view(), SIZE_MAX);
}

void ScreenLine::pad_to(size_t column) {
    while (used_ < column && room() > 0) {
        line_.put(' ');
        ++used_;
    }
}

std::string_view ScreenLine::end() {
    line_.put('\n');
    return line_.view();
}

} // namespace telemetry
