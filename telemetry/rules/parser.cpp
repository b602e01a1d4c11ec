// SPDX-License-Identifier: MIT
#include "telemetry/rules/parser.hpp"

#include <algorithm>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/event/environment.hpp"
#include "telemetry/rules/values.hpp"

namespace telemetry::rules {
namespace {

constexpr int X32_BIT = EBT_X32_BIT;

std::string suggested_target(std::string_view word) {
    std::vector<std::string_view> names = {"all", "not", "let", "env", "exec_search"};
    for (const auto& event : process_events())
        names.push_back(event.name);
    for (const auto& call : ebpf_loader::syscall_rows())
        names.push_back(call.name);
    return suggestion(word, names);
}

constexpr std::string_view EXPECTED_TARGET =
    "the name or number of a system call, all, process_fork, process_exec, "
    "process_exit, a group such as @write, not, let, env or exec_search";
} // namespace

std::optional<Statement> Parser::parse(Span span) {
    cursor_.enter(span);
    subject_ = nullptr;
    try {
        return statement();
    } catch (const BrokenMacro&) {
        return std::nullopt;
    }
}

std::optional<Statement> Parser::statement() {
    if (cursor_.at_end())
        return std::nullopt;
    if (const auto word = cursor_.take_word(); word && source_.text(*word) == "let") {
        definition();
        return std::nullopt;
    } else if (word && source_.text(*word) == "env") {
        variables();
        return std::nullopt;
    } else if (word && source_.text(*word) == "exec_search") {
        exec_search();
        return std::nullopt;
    } else if (word) {
        cursor_.go_back(word->begin);
    }
    return rule();
}

/// let NAME = clause...
void Parser::definition() {
    cursor_.skip_blanks();
    const auto word = cursor_.take_word();
    if (!word)
        throw Mistake{cursor_.here(), "the macro has no name", "let NAME = clause..."};
    const std::string name(source_.text(*word));
    const auto defined = macros_.find(name);
    if (defined != macros_.end())
        throw Mistake{*word,
                      "$" + name + " is defined already, in " +
                          source_.line_as_seen_from(word->begin, defined->second.where),
                      "another name"};
    Macro macro{word->begin, true, {}};
    try {
        macro.clauses = macro_clauses(name);
        macro.broken = false;
        macros_.emplace(name, std::move(macro));
    } catch (...) { // the mistake is reported here, not where the macro is used
        macros_.emplace(name, std::move(macro));
        throw;
    }
}

/// env NAME...
void Parser::variables() {
    const std::string expected = "env NAME..., names of environment variables, such as LD_PRELOAD";
    if (cursor_.at_end())
        throw Mistake{cursor_.here(), "no variable is named after env", expected};
    while (!cursor_.at_end()) {
        const auto word = cursor_.take_word();
        if (!word)
            throw Mistake{cursor_.here(), "this is no name of a variable", expected};
        const std::string_view name = source_.text(*word);
        if (name.size() > EnvironmentNames::longest_name)
            throw Mistake{*word, "the name of the variable is too long",
                          "at most " + std::to_string(EnvironmentNames::longest_name) + " bytes"};
        if (std::ranges::find(environment_, name) != environment_.end())
            continue;
        if (environment_.size() == EnvironmentNames::most)
            throw Mistake{*word,
                          "more than " + std::to_string(EnvironmentNames::most) + " variables in this file",
                          "fewer of them"};
        environment_.emplace_back(name);
    }
}

/// exec_search outcome
void Parser::exec_search() {
    const std::string expected = "exec_search outcome";
    cursor_.skip_blanks();
    const auto word = cursor_.take_word();
    if (!word || source_.text(*word) != "outcome")
        throw Mistake{word ? *word : cursor_.here(), "this is not what can be said of searches for programs",
                      expected};
    cursor_.skip_blanks();
    if (!cursor_.at_end())
        throw Mistake{cursor_.here(), "nothing follows exec_search outcome", expected};
    folds_searches_ = true;
}

std::vector<Clause> Parser::macro_clauses(const std::string& name) {
    cursor_.skip_blanks();
    if (!cursor_.take("="))
        throw Mistake{cursor_.here(), "\"=\" is missing after let " + name, "let " + name + " = clause..."};
    auto result = clauses(nullptr);
    if (result.empty())
        throw Mistake{cursor_.here(), "macro " + name + " is empty", expected_field(nullptr)};
    return result;
}

Statement Parser::rule() {
    Statement rule;
    auto word = cursor_.take_word();
    if (word && source_.text(*word) == "not") {
        rule.exclude = true;
        cursor_.skip_blanks();
        word = cursor_.take_word();
    }
    if (word)
        cursor_.go_back(word->begin);
    target(rule);
    subject_ = rule.subject ? &*rule.subject : nullptr;
    rule.clauses = clauses(&rule);
    subject_ = nullptr; // it points into the statement that is moved away now
    return rule;
}

void Parser::target(Statement& rule) {
    if (is_digit(cursor_.peek())) {
        target_by_number(rule);
    } else if (cursor_.peek() == '@') {
        target_by_group(rule);
    } else if (const auto word = cursor_.take_word()) {
        rule.head = *word;
        target_by_name(rule, source_.text(*word));
    } else {
        throw Mistake{cursor_.here(), "a line has to begin with the system call that it is for",
                      std::string(EXPECTED_TARGET)};
    }
}

void Parser::target_by_name(Statement& rule, std::string_view name) {
    for (const auto& event : process_events())
        if (event.name == name)
            rule.subject = Subject::of(event.row);
    if (const auto* call = ebpf_loader::find_syscall(name))
        rule.subject = Subject::of(*call);
    rule.every_call = name == "all";
    if (!rule.subject && !rule.every_call)
        throw Mistake{rule.head, "unknown system call " + in_quotes(name),
                      std::string(EXPECTED_TARGET) + suggested_target(name)};
}

void Parser::target_by_group(Statement& rule) {
    const size_t begin = cursor_.at();
    cursor_.take("@");
    if (is_word_start(cursor_.peek()))
        cursor_.take_word();
    rule.head = {begin, cursor_.at()};
    rule.group = find_group(source_.text(rule.head));
    rule.every_call = true;
    if (rule.group)
        return;
    std::string expected;
    for (const Group& group : groups())
        expected.append(expected.empty() ? "" : ", ").append(group.name);
    throw Mistake{rule.head, "unknown group " + in_quotes(source_.text(rule.head)), expected};
}

/// A number is one of 64-bit programs; on x86-64 bit 30 marks x32, as in the kernel.
void Parser::target_by_number(Statement& rule) {
    const size_t begin = cursor_.at();
    const uint64_t written = cursor_.take_number();
    rule.head = {begin, cursor_.at()};
    constexpr bool has_x32 = EBT_NATIVE_ABI == EBT_X86_64;
    const bool is_x32 = has_x32 && written <= INT32_MAX && (written & X32_BIT);
    const uint64_t number = is_x32 ? written - X32_BIT : written;
    if (number >= EBT_NUMBERS)
        throw Mistake{rule.head,
                      "system call number " + std::string(source_.text(rule.head)) + " is out of range",
                      "a number from 0 to " + std::to_string(EBT_NUMBERS - 1) +
                          (has_x32 ? ", for x32 with bit 30 set" : "")};
    const ebt_abi abi = is_x32 ? EBT_X32 : EBT_NATIVE_ABI;
    const auto* call = ebpf_loader::find_syscall(abi, static_cast<int>(number));
    rule.subject = call ? Subject::of(*ebpf_loader::find_syscall(call->name))
                        : Subject::of(abi, static_cast<int>(number));
}

/// Parses the clauses up to the end of the statement, and the flags of a rule among them.
std::vector<Clause> Parser::clauses(Statement* rule) {
    std::vector<Clause> result;
    while (!cursor_.at_end()) {
        if (take_flags(rule) || take_key(rule))
            continue;
        std::vector<Clause> product = term();
        for (cursor_.skip_blanks(); cursor_.take("&&"); cursor_.skip_blanks()) {
            cursor_.skip_blanks();
            product = conjunction(product, term());
        }
        if (result.size() + product.size() > MAX_CLAUSES)
            throw Mistake{cursor_.here(),
                          "more than " + std::to_string(MAX_CLAUSES) + " clauses, macros expanded",
                          "fewer of them: split the line"};
        result.insert(result.end(), product.begin(), product.end());
    }
    return result;
}

/// Parses the flags P and V, also written as one word.
bool Parser::take_flags(Statement* rule) {
    const auto word = cursor_.take_word();
    if (!word)
        return false;
    const std::string_view flags = source_.text(*word);
    if (!is_flags_word(flags)) {
        cursor_.go_back(word->begin);
        return false;
    }
    if (!rule || rule->exclude)
        throw Mistake{*word, std::string(flags) + " is only for lines that select events",
                      rule ? "no P or V on a line that begins with not" : "no P or V in a macro"};
    rule->require_standard |= flags.find('P') != flags.npos;
    rule->require_specific |= flags.find('V') != flags.npos;
    return true;
}

/// Parses `key NAME`. An operator behind the word makes it a comparison with an argument of that name.
bool Parser::take_key(Statement* rule) {
    const auto word = cursor_.take_word();
    if (!word || source_.text(*word) != "key") {
        cursor_.go_back(word ? word->begin : cursor_.at());
        return false;
    }
    cursor_.skip_blanks();
    if (at_operator()) {
        cursor_.go_back(word->begin);
        return false;
    }
    if (!rule || rule->exclude)
        throw Mistake{*word, "a key is only for lines that select events",
                      rule ? "no key on a line that begins with not" : "no key in a macro"};
    if (!rule->key.empty())
        throw Mistake{*word, "the line has a key already, \"" + rule->key + '"', "one key a line"};
    rule->key = read_key(cursor_, source_);
    return true;
}

/// Parses one factor of a clause: a comparison, or a macro, which may stand for several clauses.
std::vector<Clause> Parser::term() {
    if (cursor_.peek() == '$')
        return macro_use();
    if (is_word_start(cursor_.peek()))
        return comparison();
    const std::string expected = expected_field(subject_);
    if (cursor_.at_end())
        throw Mistake{cursor_.here(), "the clause ends too early", expected};
    switch (cursor_.peek()) {
    case '&':
        throw Mistake{cursor_.here(), "a stray \"&\"", "&& between two comparisons"};
    case '|':
        throw Mistake{cursor_.here(), "a stray \"|\"",
                      "a blank between clauses, which are ORed anyway, or values in parentheses: (A|B)"};
    case '\\':
        throw Mistake{cursor_.here(), "a stray \"\\\"",
                      "the end of the line right after the backslash, or no backslash"};
    default:
        throw Mistake{cursor_.here(),
                      "a comparison cannot begin with " + in_quotes(source_.text(cursor_.here())), expected};
    }
}

std::vector<Clause> Parser::macro_use() {
    const size_t begin = cursor_.at();
    cursor_.take("$");
    const auto word = cursor_.take_word();
    if (!word)
        throw Mistake{{begin, cursor_.at()},
                      "\"$\" without the name of a macro",
                      "$NAME of a macro defined above with let"};
    const Span use{begin, cursor_.at()};
    const auto macro = macros_.find(source_.text(*word));
    if (macro == macros_.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, unused] : macros_)
            names.push_back(name);
        throw Mistake{use, "unknown macro " + in_quotes(source_.text(use)),
                      "a macro defined above with let" + suggestion(source_.text(*word), names)};
    }
    if (macro->second.broken)
        throw BrokenMacro{};
    std::vector<Clause> result = macro->second.clauses;
    for (Clause& clause : result) {
        spend(clause.size());
        for (Term& term : clause)
            term.macro_at = use;
    }
    return result;
}

/// (a b) && (c d) is a&&c a&&d b&&c b&&d.
std::vector<Clause> Parser::conjunction(const std::vector<Clause>& left, const std::vector<Clause>& right) {
    if (left.size() * right.size() > MAX_CLAUSES)
        throw Mistake{cursor_.here(),
                      "more than " + std::to_string(MAX_CLAUSES) + " clauses, macros expanded",
                      "fewer of them: split the line"};
    std::vector<Clause> result;
    for (const Clause& first : left) {
        for (const Clause& second : right) {
            if (first.size() + second.size() > MAX_COMPARISONS)
                throw Mistake{cursor_.here(),
                              "more than " + std::to_string(MAX_COMPARISONS) + " comparisons in one clause",
                              "a shorter clause"};
            spend(first.size() + second.size());
            result.push_back(first);
            result.back().insert(result.back().end(), second.begin(), second.end());
        }
    }
    return result;
}

void Parser::spend(size_t comparisons) {
    expanded_ += comparisons;
    if (expanded_ > MAX_EXPANDED)
        throw Mistake{cursor_.here(),
                      "the rules of this file, with what its macros stand for, have more than " +
                          std::to_string(MAX_EXPANDED) + " comparisons",
                      "fewer rules, or fewer or smaller macros"};
}

} // namespace telemetry::rules
