// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/rules/filter.hpp"
#include "telemetry/rules/syntax.hpp"

namespace telemetry::rules {

/// Collects the statements of a file into one filter for each kind of event.
class Builder {
  public:
    /// `keeps_lines`: the filters can say which line included an event.
    explicit Builder(const SourceText& source, bool keeps_lines = false)
        : source_(source), keeps_lines_(keeps_lines), resolver_(source) {}

    /// Throws Mistake.
    void add(const Statement& statement);
    /// Calls `observer` with each statement that is added.
    void observe(std::function<void(const Statement&)> observer) { observer_ = std::move(observer); }
    void count_line() { ++lines_; }
    /// What of a line is not honoured, or not as it was meant: a warning. Its severity is `note` where
    /// nothing that the line wants is missing.
    void declare(const Mistake& what) { report(warnings_, "warning", what); }
    void note(const Mistake& what) { report(notes_, "note", what); }
    /// Completes the filters; then they can be taken out.
    void finish();

    struct Entry {
        Subject subject;
        CallFilter filter;
        std::vector<Span> not_lines; ///< heads of the lines that exclude, for warnings
    };
    const std::vector<Entry>& entries() const { return entries_; }
    std::vector<Entry> take_entries() { return std::move(entries_); }
    const std::vector<std::string>& warnings() const { return warnings_; }
    const std::vector<std::string>& notes() const { return notes_; }
    size_t lines() const { return lines_; }
    /// Does a rule compare what the lineage of processes alone has?
    bool needs_lineage() const { return needs_lineage_; }

  private:
    Entry& entry_for(const Subject& subject);
    void add_for_forms(const Statement& statement);
    void add_for(const Statement& statement, const Subject& subject);
    void add_for_every_call(const Statement& statement);
    /// What has become of a clause of a line for several calls.
    struct Use {
        bool used = false;
        const Subject* unfit = nullptr; ///< the first subject that refused it, if for want of a field
        std::optional<Mistake> mistake; ///< or else why it did
    };
    const std::vector<size_t>& entries_of(const Group* group);
    bool add_for_row(Entry& entry, const Statement& statement, std::vector<Use>& uses);
    void check_unused(const Clause& clause, const Use& use) const;
    void add_clause(Entry& entry, const Statement& statement, Resolved clause);
    RuleLines lines_of(const Statement& statement) const;
    void apply_line(Entry& entry, const Statement& statement);
    void report(std::vector<std::string>& to, std::string_view severity, const Mistake& what);
    void warn(Span where, const std::string& message, const std::string& expected);
    void warn_of_oddities(const Clause& clause, const Subject& subject);
    void check_room(const Subject& subject, Span head);

    const SourceText& source_;
    const bool keeps_lines_;
    std::function<void(const Statement&)> observer_;
    Resolver resolver_;
    std::vector<Entry> entries_;
    std::map<std::pair<int, int>, size_t> index_;            ///< by kind or ABI, and row or number
    std::map<const Group*, std::vector<size_t>> entries_of_; ///< null: of every call
    std::vector<std::string> warnings_;
    std::vector<std::string> notes_;
    size_t oddities_ = 0;
    size_t unknown_numbers_ = 0;
    size_t tests_ = 0;
    size_t lines_ = 0;
    bool needs_lineage_ = false;
};

} // namespace telemetry::rules
