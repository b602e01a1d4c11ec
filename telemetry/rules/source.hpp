// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::rules {

/// Bytes [begin, end) of a rules file.
struct Span {
    size_t begin = 0;
    size_t end = 0;
};

/// A mistake in a statement. It is thrown where it is found and caught once for each statement.
struct Mistake {
    Span where;
    std::string message;
    std::string expected;
};

/// The text of a rules file: finds its statements and shows positions in it to people.
class SourceText {
  public:
    SourceText(std::string_view text, std::string file);

    std::string_view text() const { return text_; }
    std::string_view text(Span span) const { return text_.substr(span.begin, span.end - span.begin); }
    /// Line number, from 1.
    size_t line_of(size_t offset) const;
    /// The statements: lines, joined where one ends in a backslash, blank ones included.
    std::vector<Span> statements() const;
    /// "file:line:column: SEVERITY: message", the line, a caret below the place, what was
    /// expected. Nothing of the file reaches a terminal unescaped.
    std::string describe(std::string_view severity, const Mistake& mistake) const;

  private:
    std::string_view text_;
    std::string file_;
    std::vector<size_t> lines_; ///< offset of each line's first byte
};

/// Collects what is wrong with a file.
class MistakeList {
  public:
    void add(const SourceText& source, const Mistake& mistake);
    bool empty() const { return count_ == 0; }
    /// All of them, or the first and how many more there are.
    std::string text() const;

  private:
    std::string shown_;
    size_t count_ = 0;
};

/// The text in a form that is safe on a terminal.
std::string displayed(std::string_view text);

/// The length of the well-formed UTF-8 character at `at`, or 1 for a byte that begins none.
size_t character_length(std::string_view text, size_t at);

} // namespace telemetry::rules
