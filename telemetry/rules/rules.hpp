// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/event/environment.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/rules/files/rules_files.hpp"
#include "telemetry/rules/filter.hpp"

namespace telemetry {

/// Mistakes in a rules file. what() is, for each, "file:line:column: error: message", then
/// the line itself and a caret under the place, then what was expected.
class RuleError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Parsed rules: which events are wanted. The numeric part of them runs in the kernel (compile()), what the
/// kernel cannot decide is decided here (matches()).
class Rules {
  public:
    Rules();
    ~Rules();
    Rules(Rules&&) noexcept;
    Rules& operator=(Rules&&) noexcept;

    /// One set of rules, as if all stood in one file. Throws RuleError; with several mistakes, what() lists
    /// them all, one a statement. `before`: the rules that these replace in a run, if any; see
    /// Selection::keep_rows_of(). `keeps_lines`: chosen() can tell, which takes as much memory again.
    static Rules parse(const std::vector<RulesFile>& files, const Rules* before = nullptr,
                       bool keeps_lines = false);
    static Rules parse(std::string_view text, const std::string& file, const Rules* before = nullptr,
                       bool keeps_lines = false);
    /// Of a file or a directory; see read_rules_files().
    static Rules load(const std::string& path, const Rules* before = nullptr, bool keeps_lines = false);
    /// Of each rule, what the kernel decides of it and what the program, and what that costs; for --explain.
    static std::string explain(const std::vector<RulesFile>& files);
    static std::string_view built_in(); ///< the text of rules/syscalls.rules

    /// At its end a process has no executable any more, so it has to be known from the start. Where
    /// ends are selected, adds the events of starts to the kernel's part; matches() drops them.
    void follow_processes();
    /// Adds the events of all processes that start, execute, end, or change their session or group to the
    /// kernel's part; matches() drops what no rule selects.
    void follow_all_processes();

    /// The kernel's part.
    ebpf_loader::Selection compile() const;
    /// Is the event wanted? Exact: evaluates the whole rule, the kernel's part included.
    bool matches(const Event& event) const;
    /// The key of the first line that has one and selects the event, which has to match; empty: no line
    /// that selects it has a key. The view lasts as long as the rules.
    std::string_view key(const Event& event) const;
    /// Where the first line stands that selects the event, which has to match, with key(). Nothing is known
    /// unless the rules keep lines.
    rules::ChosenRule chosen(const Event& event) const;
    /// True when matches() can only say yes to what the kernel lets through.
    bool kernel_decides(uint16_t row) const;
    /// The variables that the file asks for, of the environments of processes.
    const EnvironmentNames& environment() const;
    /// Does the file ask for the outcomes alone of searches for programs to execute? See ExecSearches.
    bool folds_searches() const;
    /// Do the rules compare what Event::lineage alone has? Without it those comparisons are unknown.
    bool needs_lineage() const;
    /// Are they auditctl's? A file of these may be part of a set, and select nothing by itself.
    bool is_auditctl() const;
    /// Number of rule lines; for the log.
    size_t size() const;
    /// What is allowed but probably not meant (a comparison that is never true, a line without
    /// effect), in the form of RuleError::what() with "warning:"; for the log and --check.
    const std::vector<std::string>& warnings() const;
    /// Lines that have no meaning here, with "note:"; for --check.
    const std::vector<std::string>& notes() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace telemetry
