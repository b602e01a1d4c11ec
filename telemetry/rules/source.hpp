// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/rules/files/rules_files.hpp"

namespace telemetry::rules {

/// Bytes [begin, end) of the rules' text.
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

/// The text of rules files, one behind the other: finds the statements and shows positions in them to people.
class SourceText {
  public:
    explicit SourceText(const std::vector<RulesFile>& files);
    SourceText(const SourceText&) = delete; // its parts point into it
    SourceText& operator=(const SourceText&) = delete;

    std::string_view text() const { return text_; }
    std::string_view text(Span span) const { return text().substr(span.begin, span.end - span.begin); }
    bool has_several_files() const { return files_.size() > 1; }
    /// Line number in its file, from 1.
    size_t line_of(size_t offset) const;
    /// The name of its file.
    std::string_view name_of(size_t offset) const { return file_of(offset).name; }
    /// "FILE:LINE", safe on a terminal.
    std::string place_of(size_t offset) const;
    /// "line LINE", and of another file than the one that `from` is in, " of FILE".
    std::string line_as_seen_from(size_t from, size_t offset) const;
    /// The statements: lines, joined where one ends in a backslash, blank ones included. None goes on in
    /// another file.
    std::vector<Span> statements() const;
    /// "file:line:column: SEVERITY: message", the line, a caret below the place, what was
    /// expected. Nothing of the file reaches a terminal unescaped.
    std::string describe(std::string_view severity, const Mistake& mistake) const;

  private:
    struct File {
        std::string name;
        size_t begin;      ///< offset of its first byte
        size_t first_line; ///< index in lines_
    };
    const File& file_of(size_t offset) const;

    std::string text_; ///< of files behind each other, each ends with a line end
    std::vector<File> files_;
    std::vector<size_t> lines_; ///< offset of each line's first byte
};

/// Collects what is wrong with the rules.
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
