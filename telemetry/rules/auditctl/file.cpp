// SPDX-License-Identifier: MIT
#include "telemetry/rules/auditctl/file.hpp"

#include <algorithm>

#include "telemetry/base/escape.hpp"

namespace telemetry::rules::auditctl {
namespace {

/// Options that set up auditd or the kernel's audit system.
struct Control {
    std::string_view option;
    std::string_view instead; ///< why it has no meaning here
};
constexpr Control CONTROLS[] = {
    {"b", "--buffer-size sets how much is buffered"},
    {"f", "the kernel is never stopped for an event that is lost; losses are counted and reported"},
    {"e", "the program's rules cannot be changed while it runs, and end with it"},
    {"r", "--max-events-per-process limits rates"},
    {"backlog_wait_time", "no process waits for the program"},
    {"reset_backlog_wait_time_actual", "no process waits for the program"},
    {"reset-lost", "each run counts its own losses"},
    {"loginuid-immutable", "it is a setting of the kernel's audit system"},
    {"signal", "there is no auditd"},
    {"q", "what is mounted below a directory is watched with it"},
    {"t", "what is mounted below a directory is watched with it"},
    {"s", "it asks for the state of auditd"},
    {"l", "it asks for the rules of auditd"},
    {"v", "it asks for the version of auditctl"},
    {"h", "it asks for help"},
    {"m", "messages to auditd are no events"},
    {"R", "put the other file into a directory with this one, and name that with -r"},
    {"d", "rules are not removed again: leave the rule itself out"},
    {"W", "rules are not removed again: leave the rule itself out"},
};

bool is_rule(const Option& option) {
    return option.name == "a" || option.name == "A" || option.name == "w";
}

List list_of(const Word& word, std::string_view name) {
    struct Known {
        std::string_view name;
        List list;
    };
    constexpr Known known[] = {
        {"exit", List::exit}, {"exclude", List::exclude},       {"task", List::task},
        {"user", List::user}, {"filesystem", List::filesystem}, {"io_uring", List::io_uring}};
    for (const Known& one : known)
        if (one.name == name)
            return one.list;
    throw Mistake{word.where, "unknown list " + in_quotes(name),
                  "exit, exclude, task, user, filesystem or io_uring, a comma, and always or never"};
}

/// LIST,ACTION or ACTION,LIST
void read_list(Rule& rule, const Word& word) {
    const size_t comma = word.text.find(',');
    const std::string_view text = word.text;
    const std::string_view first = text.substr(0, comma);
    const std::string_view second = comma == text.npos ? std::string_view() : text.substr(comma + 1);
    const bool action_first = first == "always" || first == "never";
    const std::string_view action = action_first ? first : second;
    if (comma == text.npos || (action != "always" && action != "never"))
        throw Mistake{word.where, in_quotes(text) + " has no action",
                      "a list, a comma, and always or never, such as always,exit"};
    rule.never = action == "never";
    rule.list = list_of(word, action_first ? second : first);
    if (rule.list == List::exclude) // whatever the action is
        rule.never = true;
}

} // namespace

void FileReader::read(MistakeList& mistakes) {
    for (const Span line : lines_of(source_)) {
        try {
            read_line(line);
        } catch (const Mistake& mistake) {
            if (ignores_mistakes_)
                leave_out(mistake);
            else
                mistakes.add(source_, mistake);
        }
    }
    for (const Kept& kept : rules_) {
        try {
            builder_.count_line();
            for (const Statement& statement : kept.translation.statements)
                builder_.add(statement);
        } catch (const Mistake& mistake) {
            if (kept.ignores_mistakes)
                leave_out(mistake);
            else
                mistakes.add(source_, mistake);
        }
        for (const std::string& declared : kept.translation.declared)
            builder_.declare({kept.rule.where, declared, {}});
    }
}

void FileReader::leave_out(const Mistake& mistake) {
    builder_.declare({mistake.where, "left out: " + mistake.message, mistake.expected});
}

void FileReader::read_line(Span line) {
    const std::vector<Option> options = options_of(source_, line);
    if (std::any_of(options.begin(), options.end(), is_rule))
        return read_rule(line, options);
    if (std::any_of(options.begin(), options.end(), [](const Option& option) { return option.name == "D"; }))
        return delete_rules(line, options);
    for (const Option& option : options)
        control(option);
}

void FileReader::read_rule(Span line, const std::vector<Option>& options) {
    Rule rule;
    rule.where = line;
    bool prepends = false;
    for (const Option& option : options)
        take(rule, option, prepends);
    if (rule.list != List::exit && rule.list != List::io_uring && !rule.calls.empty())
        throw Mistake{rule.calls.front().where, "calls are selected on the list exit alone",
                      "a rule without -S"};
    Kept kept{rule, translate(rule), ignores_mistakes_};
    if (prepends)
        rules_.push_front(std::move(kept));
    else
        rules_.push_back(std::move(kept));
}

void FileReader::take(Rule& rule, const Option& option, bool& prepends) {
    if (option.name == "a" || option.name == "A") {
        read_list(rule, *option.argument);
        prepends = option.name == "A";
    } else if (option.name == "w") {
        rule.conditions.add_path(*option.argument, option.argument->text);
        if (rule.conditions.permissions.empty())
            rule.conditions.permissions = "rwxa";
    } else if (option.name == "p") {
        rule.conditions.add_permissions(*option.argument, option.argument->text);
    } else if (option.name == "k") {
        rule.conditions.add_key(*option.argument, option.argument->text);
    } else if (option.name == "F") {
        rule.conditions.add_field(*option.argument);
    } else if (option.name == "C") {
        rule.conditions.add_comparison(*option.argument);
    } else if (option.name == "S") {
        rule.calls.push_back(*option.argument);
    } else {
        throw Mistake{option.word.where, in_quotes(option.word.text) + " is no part of a rule",
                      "-a or -A with -S, -F, -C and -k; or -w with -p and -k"};
    }
}

void FileReader::control(const Option& option) {
    if (option.name == "i" || option.name == "c") {
        ignores_mistakes_ = true;
        return;
    }
    for (const Control& known : CONTROLS)
        if (known.option == option.name)
            return builder_.note(
                {option.word.where,
                 in_quotes(option.word.text) + " is without meaning here: " + std::string(known.instead),
                 {}});
    throw Mistake{option.word.where, in_quotes(option.word.text) + " stands without a rule",
                  "-a or -A with -S, -F, -C and -k; or -w with -p and -k"};
}

/// -D: all rules so far, or with -k those that have the key. Of the files of a directory augenrules puts it
/// before all rules.
void FileReader::delete_rules(Span line, const std::vector<Option>& options) {
    if (source_.has_several_files())
        return builder_.note(
            {line, "\"-D\" is without meaning here: of a directory it comes before all rules", {}});
    const auto key =
        std::find_if(options.begin(), options.end(), [](const Option& option) { return option.name == "k"; });
    const size_t before = rules_.size();
    if (key == options.end())
        rules_.clear();
    else
        std::erase_if(rules_, [&](const Kept& kept) {
            const auto& keys = kept.rule.conditions.keys;
            return std::find(keys.begin(), keys.end(), key->argument->text) != keys.end();
        });
    if (const size_t deleted = before - rules_.size())
        builder_.declare({line, "deletes " + std::to_string(deleted) + " rules of the lines above", {}});
}

} // namespace telemetry::rules::auditctl
