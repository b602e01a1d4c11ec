// SPDX-License-Identifier: MIT
// The lines of a file of auditctl's rules, and the words and options of a line.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "telemetry/rules/source.hpp"

namespace telemetry::rules::auditctl {

/// Do the lines of the file begin with `-`, as auditctl's options do? Throws Mistake where some do and
/// others do not.
bool is_auditctl(const SourceText& source);

/// Lines that are neither blank nor a comment. None continues another.
std::vector<Span> lines_of(const SourceText& source);

struct Word {
    Span where;
    std::string text; ///< `\ ` is a blank and `\\` a backslash
};

/// An option as getopt(3) finds it: -k NAME, -kNAME, --backlog_wait_time=NUMBER.
struct Option {
    Word word;        ///< the option itself
    std::string name; ///< "k", "backlog_wait_time"
    std::optional<Word> argument;
};

/// Throws Mistake for what is no option of auditctl's, and for a word that belongs to none.
std::vector<Option> options_of(const SourceText& source, Span line);

} // namespace telemetry::rules::auditctl
