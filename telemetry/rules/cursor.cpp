// SPDX-License-Identifier: MIT
#include "telemetry/rules/cursor.hpp"

namespace telemetry::rules {

void Cursor::enter(Span statement) {
    at_ = last_ = statement.begin;
    end_ = statement.end;
}

/// A number ends before the first character that is not a digit of its base: 0x3PV is 0x3 and PV.
uint64_t Cursor::take_number() {
    const size_t begin = at_;
    const bool is_hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    const unsigned base = is_hex ? 16 : peek() == '0' ? 8 : 10;
    at_ += is_hex ? 2 : 0;
    const size_t digits = at_;
    uint64_t value = 0;
    bool overflow = false;
    for (; base == 16 ? hex_digit(peek()) >= 0 : is_digit(peek()); ++at_) {
        const auto digit = static_cast<unsigned>(hex_digit(peek()));
        if (digit >= base)
            throw Mistake{
                {at_, at_ + 1}, "a number with a leading 0 is octal", "the digits 0 to 7, or no leading 0"};
        overflow = overflow || value > (UINT64_MAX - digit) / base;
        value = value * base + digit;
    }
    last_ = at_;
    if (at_ == digits)
        throw Mistake{{begin, at_}, "no digits after 0x", "hexadecimal digits"};
    if (overflow)
        throw Mistake{{begin, at_}, "the number does not fit in 64 bits", "18446744073709551615 or less"};
    return value;
}

/// Skips blanks, the backslash that continues a line, and a comment, which ends the statement.
void Cursor::skip_blanks() {
    const std::string_view text = source_.text().substr(0, end_);
    for (; at_ < end_; ++at_) {
        const char c = text[at_];
        if (c == '#') {
            at_ = end_;
            return;
        }
        if (c == '\\') {
            const size_t next = text.find_first_not_of(" \t\r", at_ + 1);
            if (next != text.npos && text[next] != '\n')
                return;
            at_ = next == text.npos ? end_ - 1 : next;
        } else if (!is_blank(c) && c != '\n' && !(c == '\r' && (at_ + 1 == end_ || text[at_ + 1] == '\n'))) {
            return;
        }
    }
}

bool Cursor::at_line_end(size_t ahead) const {
    return at_ + ahead >= end_ || peek(ahead) == '\n' || (peek(ahead) == '\r' && peek(ahead + 1) == '\n');
}

bool Cursor::at_end() {
    skip_blanks();
    return at_ >= end_;
}

bool Cursor::take(std::string_view token) {
    if (!source_.text().substr(0, end_).substr(at_).starts_with(token))
        return false;
    at_ += token.size();
    last_ = at_;
    return true;
}

std::optional<Span> Cursor::take_word() {
    skip_blanks();
    if (!is_word_start(peek()))
        return std::nullopt;
    const size_t begin = at_;
    while (is_word_character(peek()))
        ++at_;
    last_ = at_;
    return Span{begin, at_};
}

Span Cursor::here() {
    if (at_end())
        return {last_, last_};
    size_t end = at_;
    while (is_word_start(peek()) && is_word_character(peek(end - at_)))
        ++end;
    return {at_, end > at_ ? end : at_ + character_length(source_.text(), at_)};
}

} // namespace telemetry::rules
