// SPDX-License-Identifier: MIT
#include "telemetry/rules/explain/explanation.hpp"

#include <algorithm>
#include <map>

#include "telemetry/rules/kernel/screens.hpp"

namespace telemetry::rules {
namespace {

constexpr size_t SHOWN_WIDTH = 100;

/// What becomes of the events of a call, from the cheapest on.
enum class Way { kernel_alone, kernel_paths, kernel_first, program_alone, every };

struct Described {
    Way way;
    const char* text;
};
constexpr Described WAYS[] = {
    {Way::kernel_alone, "the kernel alone decides: what is not wanted costs its caller 0.2 to 0.5 us"},
    {Way::kernel_paths,
     "the kernel drops what its comparisons exclude, for 0.2 to 0.5 us, and once it is captured what "
     "can have no path that is wanted, for 1 to 3 us; the rest comes to the program, which decides, for "
     "0.2 us"},
    {Way::kernel_first,
     "the kernel drops what its comparisons exclude, for 0.2 to 0.5 us; what passes is captured, for 1 "
     "to 3 us, and comes to the program, which decides, for 0.2 us"},
    {Way::program_alone,
     "every one is captured, for 1 to 3 us, and comes to the program, which decides, for 0.2 us"},
    {Way::every, "every one is wanted: captured, for 1 to 3 us, and written, for 0.5 us"},
};

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string result;
    for (const std::string& part : parts)
        result.append(result.empty() ? "" : between).append(part);
    return result;
}

void add_once(std::vector<std::string>& to, std::string text) {
    if (std::find(to.begin(), to.end(), text) == to.end())
        to.push_back(std::move(text));
}

/// A row that has what the comparison compares; nullptr: none has it.
const ebpf_loader::SyscallRow* row_for(const Statement& statement, const Clause& comparison) {
    for (const auto& row : ebpf_loader::syscall_rows())
        if ((!statement.group || statement.group->has(row.name)) && fits(comparison, Subject::of(row)))
            return &row;
    return nullptr;
}

Way way_of(const KernelFilter& filter, const Subject& subject) {
    if (filter.exact)
        return filter.predicates.empty() ? Way::every : Way::kernel_alone;
    if (subject.row && is_screened(*subject.row) && !std::ranges::all_of(filter.needles, &Needles::empty))
        return Way::kernel_paths;
    return filter.predicates.empty() ? Way::program_alone : Way::kernel_first;
}

/// What is to be said of calls that not every program can make.
std::string_view who_can_make(const Subject& subject) {
    if (!subject.row)
        return {};
    const unsigned abis = ebpf_loader::machine_abis_of(subject.row->name);
    if (!abis)
        return " (which no program of this machine can make)";
    return abis == 1u << EBT_COMPAT_ABI ? " (of 32-bit programs alone)" : "";
}

/// Names of calls, in lines of a width that a screen has.
std::string wrapped(const std::vector<std::string>& names) {
    std::string result = "   ";
    size_t width = 3;
    for (const std::string& name : names) {
        if (width + 1 + name.size() > SHOWN_WIDTH) {
            result += "\n   ";
            width = 3;
        }
        result += ' ' + name;
        width += 1 + name.size();
    }
    return result + '\n';
}

} // namespace

/// The line as it stands in the file, on a screen's line.
std::string Explanation::line_of(const Statement& statement) const {
    const std::string_view text = source_.text();
    const size_t head = std::min(statement.head.begin, text.size());
    const size_t begin = text.rfind('\n', head) == text.npos || head == 0 ? 0 : text.rfind('\n', head) + 1;
    std::string_view line = text.substr(begin, std::min(text.find('\n', head), text.size()) - begin);
    const size_t blanks = std::min(line.find_first_not_of(" \t"), line.size());
    line = line.substr(blanks, SHOWN_WIDTH);
    return displayed(line);
}

Explanation::Sides Explanation::sides_of(const Statement& statement) const {
    Sides sides;
    for (const Clause& clause : statement.clauses) {
        for (const Term& term : clause) {
            const auto* row = statement.subject ? nullptr : row_for(statement, {term});
            if (!statement.subject && !row)
                continue;
            const Comparison& comparison = *term.comparison;
            const Tests tests = *resolve(source_, {term}, row ? Subject::of(*row) : *statement.subject).tests;
            const bool by_kernel = tests.texts.empty() &&
                                   std::all_of(tests.numbers.begin(), tests.numbers.end(), runs_in_kernel);
            const Span where{comparison.field_at.begin, comparison.value_at.end};
            // what an auditctl rule leaves unsaid stands for all of its line
            const bool is_whole_line = where.begin == statement.head.begin && where.end == statement.head.end;
            add_once(by_kernel ? sides.kernel : sides.program,
                     is_whole_line ? std::string(comparison.field) : displayed(source_.text(where)));
        }
    }
    return sides;
}

void Explanation::add(const Statement& statement) {
    const std::string place = source_.place_of(statement.head.begin);
    if (place != last_place_)
        rules_ += place + ": " + line_of(statement) + '\n';
    last_place_ = place;
    const Sides sides = sides_of(statement);
    const std::string what = statement.subject
                                 ? statement.subject->name().append(who_can_make(*statement.subject))
                             : statement.group ? std::string(statement.group->name)
                                               : "all calls";
    const std::string kernel = joined(sides.kernel, ", "), program = joined(sides.program, ", ");
    rules_ += "    " + what + ": ";
    if (kernel.empty() && program.empty())
        rules_ += statement.exclude ? "none of them" : "every one";
    else if (program.empty())
        rules_ += "in the kernel " + kernel;
    else if (kernel.empty())
        rules_ += "in the program " + program;
    else
        rules_ += std::string(statement.exclude ? "in the program " : "in the kernel ") + kernel +
                  (statement.exclude ? ", " : "; in the program ") + program;
    rules_ += '\n';
}

std::string Explanation::text(const std::vector<Builder::Entry>& entries) const {
    std::map<Way, std::vector<std::string>> calls;
    KnownNeedles needles;
    for (const Builder::Entry& entry : entries) {
        if (!entry.filter.selected())
            continue;
        const KernelFilter filter = entry.filter.kernel(needles);
        const size_t compared = filter.predicates.size();
        std::string name = entry.subject.name();
        if (compared)
            name += '(' + std::to_string(compared) + ')';
        add_once(calls[way_of(filter, entry.subject)], std::move(name));
    }
    std::string result = rules_;
    if (!calls.empty())
        result += "\nOf the calls (how many of " + std::to_string(EBT_PREDICATES) +
                  " comparisons the kernel does) and process events:\n";
    for (const Described& way : WAYS)
        if (const auto found = calls.find(way.way); found != calls.end())
            result += std::string("  ") + way.text + ":\n" + wrapped(found->second);
    return result;
}

} // namespace telemetry::rules
