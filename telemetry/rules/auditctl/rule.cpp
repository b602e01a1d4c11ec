// SPDX-License-Identifier: MIT
#include "telemetry/rules/auditctl/rule.hpp"

#include <algorithm>
#include <charconv>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/text/suggestion.hpp"
#include "telemetry/rules/cursor.hpp"
#include "telemetry/rules/resolve.hpp"

namespace telemetry::rules::auditctl {
namespace {

using ebpf_loader::ArgKind;
using ebpf_loader::SyscallRow;

bool has_number(const SyscallRow& call, ebt_abi abi) {
    for (const SyscallRow* form = &call; form; form = ebpf_loader::next_form(*form))
        if (form->number[abi] >= 0)
            return true;
    return abi == EBT_I386 && (call.socketcall || ebpf_loader::ipc_call_of(call));
}

bool in_arch(const SyscallRow& call, Arch arch) {
    const bool has_32 = has_number(call, EBT_COMPAT_ABI), has_64 = has_number(call, EBT_NATIVE_ABI);
    return arch == Arch::b32 ? has_32 : arch == Arch::b64 ? has_64 : has_32 || has_64;
}

Subject subject_by_number(const Word& word, std::string_view text, ebt_abi abi) {
    int number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number >= EBT_NUMBERS)
        throw Mistake{word.where, in_quotes(text) + " is no number of a system call",
                      "a number from 0 to " + std::to_string(EBT_NUMBERS - 1)};
    const SyscallRow* call = ebpf_loader::find_syscall(abi, number);
    return call ? Subject::of(*ebpf_loader::find_syscall(call->name)) : Subject::of(abi, number);
}

Subject subject_by_name(const Word& word, std::string_view name, Arch arch) {
    const SyscallRow* call = ebpf_loader::find_syscall(name);
    if (!call || !in_arch(*call, arch)) {
        std::vector<std::string_view> names;
        for (const SyscallRow& row : ebpf_loader::syscall_rows())
            if (in_arch(row, arch))
                names.push_back(row.name);
        throw Mistake{word.where,
                      call ? in_quotes(name) + (arch == Arch::b32 ? " is no call of 32-bit programs"
                                                                  : " is no call of 64-bit programs")
                           : "unknown system call " + in_quotes(name),
                      "a call that --list-syscalls names, or a number" + suggestion(name, names)};
    }
    return Subject::of(*call);
}

/// The calls of -S; none for `all`.
std::vector<Subject> subjects_of(const Rule& rule) {
    std::vector<Subject> subjects;
    bool every = false;
    const ebt_abi abi = rule.conditions.arch == Arch::b32 ? EBT_COMPAT_ABI : EBT_NATIVE_ABI;
    for (const Word& word : rule.calls) {
        std::string_view rest = word.text;
        while (!rest.empty()) {
            const size_t end = std::min(rest.find(','), rest.size());
            const std::string_view name = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            every = every || name == "all";
            if (name == "all" || name.empty())
                continue;
            const Subject subject = is_digit(name.front())
                                        ? subject_by_number(word, name, abi)
                                        : subject_by_name(word, name, rule.conditions.arch);
            const auto is_same = [&](const Subject& other) { return other.name() == subject.name(); };
            if (std::none_of(subjects.begin(), subjects.end(), is_same))
                subjects.push_back(subject);
        }
    }
    return every ? std::vector<Subject>{} : subjects;
}

Group group_of_rows(std::string_view name, bool (*belongs)(const SyscallRow&)) {
    Group group{name, {}, {}, {}};
    for (const SyscallRow& row : ebpf_loader::syscall_rows())
        if (belongs(row))
            group.calls.push_back(row.name);
    return group;
}

bool has_argument(const SyscallRow& row, bool (*is)(ArgKind)) {
    return std::any_of(row.argument, row.argument + row.arguments,
                       [&](const ebpf_loader::Argument& argument) { return is(argument.kind); });
}

/// auditd knows the files of calls that name them, not of those that read or write a descriptor.
const Group& calls_with_files() {
    static const Group group = group_of_rows("calls that name files", [](const SyscallRow& row) {
        const auto all = groups();
        return has_argument(row, ebpf_loader::is_path) ||
               std::any_of(all.begin(), all.end(), [&](const Group& known) { return known.has(row.name); });
    });
    return group;
}

const Group& calls_with_addresses() {
    static const Group group = group_of_rows("calls with addresses", [](const SyscallRow& row) {
        return has_argument(row, [](ArgKind kind) {
            return kind == ArgKind::sockaddr || kind == ArgKind::sockaddr_out || kind == ArgKind::msghdr ||
                   kind == ArgKind::msghdr_out;
        });
    });
    return group;
}

bool is_exec(std::string_view call) {
    return call == "execve" || call == "execveat";
}

/// The groups that the letters stand for.
std::vector<const Group*> permitted(std::string_view letters) {
    std::vector<const Group*> result;
    for (const char letter : letters)
        result.push_back(find_group(letter == 'r'   ? "@read"
                                    : letter == 'w' ? "@write"
                                    : letter == 'x' ? "@exec"
                                                    : "@attr"));
    return result;
}

/// Each of the left with each of the right.
std::vector<Conjunction> product(const std::vector<Conjunction>& left,
                                 const std::vector<Conjunction>& right) {
    std::vector<Conjunction> result;
    for (const Conjunction& first : left) {
        for (const Conjunction& second : right) {
            result.push_back(first);
            result.back().insert(result.back().end(), second.begin(), second.end());
        }
    }
    return result;
}

/// An exec names what it executes and, of a script, its interpreter, which is the executable afterwards.
std::vector<Conjunction> alternatives(const Word& path, bool of_exec) {
    std::vector<Conjunction> result;
    for (const auto& spelling : spellings(path, "path", true))
        result.push_back({spelling});
    if (of_exec)
        for (const auto& spelling : spellings(path, "exe", true))
            result.push_back({spelling, truth_comparison(path, "success", true)});
    return result;
}

class Translator {
  public:
    explicit Translator(const Rule& rule) : rule_(rule), conditions_(rule.conditions) {}

    Translation result() {
        if (conditions_.keys.size() > 1)
            declare("of its keys, events have the first alone");
        if (conditions_.arch == Arch::foreign) {
            declare("left out: the architecture is not this machine's");
        } else if (!conditions_.dishonoured.empty()) {
            declare("left out: " + conditions_.dishonoured);
        } else if (rule_.list == List::exit) {
            exit_rule();
        } else {
            other_list();
        }
        return std::move(result_);
    }

  private:
    void declare(const std::string& what) { result_.declared.push_back(what); }

    void exit_rule() {
        const std::vector<Subject> subjects = subjects_of(rule_);
        if (!conditions_.permissions.empty())
            by_permission(subjects);
        else if (!subjects.empty())
            for (const Subject& subject : subjects)
                add(subject, nullptr);
        else
            every_call();
        if (result_.statements.empty())
            declare("left out: no call that it is for has what it compares");
    }

    void by_permission(const std::vector<Subject>& subjects) {
        for (const Group* group : permitted(conditions_.permissions)) {
            if (subjects.empty())
                add_group(*group);
            for (const Subject& subject : subjects)
                if (group->has(subject.name()))
                    add(subject, group);
        }
    }

    void every_call() {
        const Group* group = conditions_.needs_files     ? &calls_with_files()
                             : conditions_.needs_address ? &calls_with_addresses()
                                                         : nullptr;
        if (group) {
            add_group(*group);
            if (!conditions_.paths.empty() && group->has("execve"))
                for (const char* exec : {"execve", "execveat"})
                    add(Subject::of(*ebpf_loader::find_syscall(exec)), nullptr);
            return;
        }
        Statement statement = begun(clauses(false));
        statement.every_call = true;
        if (fits_any(statement, ebpf_loader::syscall_rows()))
            result_.statements.push_back(std::move(statement));
    }

    void add_group(const Group& group) {
        Statement statement = begun(clauses(group.name == "@exec"));
        statement.every_call = true;
        statement.group = &group;
        for (const std::string_view call : group.calls)
            if (fits(statement, Subject::of(*ebpf_loader::find_syscall(call)))) {
                result_.statements.push_back(std::move(statement));
                return;
            }
    }

    void add(const Subject& subject, const Group* group) {
        Statement statement = begun(clauses(is_exec(subject.name())));
        statement.subject = subject;
        statement.group = group;
        if (fits(statement, subject))
            result_.statements.push_back(std::move(statement));
    }

    Statement begun(const std::vector<Conjunction>& clauses) const {
        Statement statement;
        statement.head = rule_.where;
        statement.exclude = rule_.never;
        statement.in_order = rule_.list == List::exit || rule_.list == List::io_uring;
        if (!rule_.never && !conditions_.keys.empty())
            statement.key = conditions_.keys.front();
        for (const Conjunction& conjunction : clauses) {
            Clause clause;
            for (const auto& comparison : conjunction)
                clause.push_back({comparison, std::nullopt});
            statement.clauses.push_back(std::move(clause));
        }
        return statement;
    }

    std::vector<Conjunction> clauses(bool of_exec) const {
        Conjunction common = conditions_.comparisons;
        add_arch(common);
        std::vector<Conjunction> result = {common};
        for (const Word& path : conditions_.paths)
            result = product(result, alternatives(path, of_exec));
        for (const Word& path : conditions_.executables) {
            std::vector<Conjunction> executables;
            for (const auto& spelling : spellings(path, "exe", false))
                executables.push_back({spelling});
            result = product(result, executables);
        }
        if (result.size() == 1 && result.front().empty())
            return {};
        return result;
    }

    /// A call of x32 counts as one of 64-bit programs where events are wanted: nobody evades a rule by it.
    void add_arch(Conjunction& common) const {
        const Word word{rule_.where, {}};
        const std::string native(ebpf_loader::abi_name(EBT_NATIVE_ABI));
        const std::string compat(ebpf_loader::abi_name(EBT_COMPAT_ABI));
        if (conditions_.arch == Arch::b32)
            common.push_back(text_comparison(word, "arch", Op::eq, compat));
        else if (conditions_.arch == Arch::b64 && rule_.never)
            common.push_back(text_comparison(word, "arch", Op::eq, native));
        else if (conditions_.arch == Arch::b64)
            common.push_back(text_comparison(word, "arch", Op::ne, compat));
    }

    static bool fits(const Statement& statement, const Subject& subject) {
        return statement.clauses.empty() ||
               std::any_of(statement.clauses.begin(), statement.clauses.end(),
                           [&](const Clause& clause) { return rules::fits(clause, subject); });
    }
    static bool fits_any(const Statement& statement, std::span<const SyscallRow> rows) {
        return std::any_of(rows.begin(), rows.end(),
                           [&](const SyscallRow& row) { return fits(statement, Subject::of(row)); });
    }

    void other_list();

    const Rule& rule_;
    const Conditions& conditions_;
    Translation result_;
};

/// Lists besides `exit`. An `exclude` rule is for all records of a process: it counts whatever the order.
void Translator::other_list() {
    switch (rule_.list) {
    case List::exclude:
        every_call();
        break;
    case List::task:
        if (!rule_.never) {
            declare("without meaning: every process is watched");
        } else if (conditions_.comparisons.empty()) {
            every_call(); // as with auditd, of no process a call is reported
        } else {
            declare("when the call is made, not when the process begins, its ids are compared");
            every_call();
        }
        break;
    case List::io_uring:
        declare(rule_.never ? "left out: operations of io_uring are selected with the calls of their names"
                            : "the calls of these names are selected too, not only io_uring's operations");
        if (!rule_.never)
            exit_rule();
        break;
    case List::user:
        declare("without meaning: messages of programs to auditd are no events");
        break;
    default:
        declare("left out: events have no type of a file system");
    }
}

} // namespace

Translation translate(const Rule& rule) {
    return Translator(rule).result();
}

} // namespace telemetry::rules::auditctl
