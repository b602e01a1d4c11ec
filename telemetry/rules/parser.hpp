// SPDX-License-Identifier: MIT
#pragma once
#include <map>

#include "telemetry/rules/cursor.hpp"
#include "telemetry/rules/syntax.hpp"

namespace telemetry::rules {

/// Is it P, V or both?
bool is_flags_word(std::string_view word);
/// What can stand where a comparison begins.
std::string expected_field(const Subject* subject);

/// Turns statements into syntax trees and keeps the macros between them. What it returns
/// refers to the text of `source`.
class Parser {
  public:
    explicit Parser(const SourceText& source) : source_(source), cursor_(source) {}

    /// Returns nullopt for a blank line, a `let`, an `env`, an `exec_search`, or a line that uses a macro
    /// whose definition was already reported as wrong. Throws Mistake.
    std::optional<Statement> parse(Span statement);

    /// The variables that `env` lines name.
    const std::vector<std::string>& environment() const { return environment_; }
    /// Is there an `exec_search outcome`?
    bool folds_searches() const { return folds_searches_; }

  private:
    struct Macro {
        size_t where; ///< its name's offset
        bool broken;  ///< its definition was reported as a mistake
        std::vector<Clause> clauses;
    };
    struct BrokenMacro {};

    std::optional<Statement> statement();
    void definition();
    void variables();
    void exec_search();
    std::vector<Clause> macro_clauses(const std::string& name);
    Statement rule();
    void target(Statement& rule);
    void target_by_number(Statement& rule);
    void target_by_group(Statement& rule);
    void target_by_name(Statement& rule, std::string_view name);
    std::vector<Clause> clauses(Statement* rule);
    bool take_flags(Statement* rule);
    bool take_key(Statement* rule);
    std::vector<Clause> term();
    std::vector<Clause> macro_use();
    std::vector<Clause> conjunction(const std::vector<Clause>& left, const std::vector<Clause>& right);
    std::vector<Clause> comparison();
    std::vector<Clause> set(const Comparison& common);
    void take_field(Comparison& comparison);
    Type field_type(Span at, std::string_view word) const;
    void check_choice(Comparison& comparison) const;
    bool is_text_argument(std::string_view word) const;
    bool at_operator();
    std::string operator_sign();
    const Operator& comparison_operator(Type type);
    void spend(size_t comparisons);

    const SourceText& source_;
    Cursor cursor_;
    std::map<std::string, Macro, std::less<>> macros_;
    const Subject* subject_ =
        nullptr; ///< what the rule being parsed is for, when that is a single kind of event
    size_t expanded_ = 0;
    std::vector<std::string> environment_;
    bool folds_searches_ = false;
};

} // namespace telemetry::rules
