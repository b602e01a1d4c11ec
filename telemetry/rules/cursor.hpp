// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "telemetry/rules/source.hpp"

namespace telemetry::rules {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_word_character(char c) {
    return is_word_start(c) || is_digit(c);
}
constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
/// Returns -1 for a character that is not a hexadecimal digit.
constexpr int hex_digit(char c) {
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/// Moves through the bytes of a statement.
class Cursor {
  public:
    explicit Cursor(const SourceText& source) : source_(source) {}
    void enter(Span statement);

    void skip_blanks();
    bool at_end();
    /// Does the line end here, or `ahead` bytes further?
    bool at_line_end(size_t ahead = 0) const;
    char peek(size_t ahead = 0) const { return at_ + ahead < end_ ? source_.text()[at_ + ahead] : '\0'; }
    bool take(std::string_view token);
    /// Takes a name after any blanks.
    std::optional<Span> take_word();
    /// Takes a number without a sign. Throws Mistake.
    uint64_t take_number();
    /// Takes any bytes up to `to`.
    void take_to(size_t to) { last_ = at_ = to; }
    void go_back(size_t to) { at_ = to; }

    size_t at() const { return at_; }
    size_t end() const { return end_; }
    /// The position after the last token taken.
    size_t last() const { return last_; }
    /// The word or character here, or the position after the last token when nothing is left.
    Span here();

  private:
    const SourceText& source_;
    size_t at_ = 0;
    size_t end_ = 0;
    size_t last_ = 0;
};

} // namespace telemetry::rules
