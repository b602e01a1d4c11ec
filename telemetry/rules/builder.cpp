// SPDX-License-Identifier: MIT
#include "telemetry/rules/builder.hpp"

#include <algorithm>
#include <optional>

#include "telemetry/base/escape.hpp"

namespace telemetry::rules {
namespace {

constexpr int TABLE = -1; ///< stands in place of an ABI for a row of the system call table
constexpr int PROCESS = -2;

std::pair<int, int> key_of(const Subject& subject) {
    if (subject.row)
        return {TABLE, ebpf_loader::row_of(*subject.row)};
    if (subject.process != EBT_ROW_NONE)
        return {PROCESS, subject.process};
    return {subject.abi, subject.number};
}

bool asks_lineage(const TextTest& test) {
    const Field* field = program_field(static_cast<uint8_t>(test.field));
    return field && field->needs_lineage;
}

/// Are some opens alone part of the statement's group, by flags that the call has as an argument?
bool opens_narrowly(const Statement& statement, const Subject& subject) {
    return statement.group && statement.group->opens && subject.call && is_open(subject.call->name) &&
           subject.argument("flags");
}

/// What the flags of such an open fulfil: O_RDONLY, O_WRONLY and O_RDWR are 0, 1 and 2 in the two lowest
/// bits, and 3 is both. Shifted to the top these bits stand alone.
NumberTest open_test(uint8_t flags, OpenFor purpose) {
    constexpr uint8_t TO_THE_TOP = 62;
    if (purpose == OpenFor::writing)
        return {flags, EBT_ANY_BITS, false, TO_THE_TOP, uint64_t{3} << TO_THE_TOP, NumberTest::NONE, false};
    return {flags, EBT_NE, false, TO_THE_TOP, uint64_t{1} << TO_THE_TOP, NumberTest::NONE, false};
}

/// Adds that the open has to be one of those.
SharedTests narrowed(SharedTests tests, const Statement& statement, const Subject& subject) {
    if (!opens_narrowly(statement, subject))
        return tests;
    Tests result = *tests;
    const uint8_t flags = subject.index_in_row(*subject.argument("flags")).value();
    result.numbers.push_back(open_test(flags, *statement.group->opens));
    std::sort(result.numbers.begin(), result.numbers.end());
    return std::make_shared<const Tests>(std::move(result));
}

} // namespace

void Builder::add(const Statement& statement) {
    if (statement.every_call)
        add_for_every_call(statement);
    else
        add_for_forms(statement);
    if (observer_)
        observer_(statement);
}

void Builder::add_for_forms(const Statement& statement) {
    add_for(statement, *statement.subject);
    if (!statement.subject->row)
        return;
    const std::string_view name = statement.subject->row->name;
    if (!ebpf_loader::machine_abis_of(name))
        note({statement.head,
              in_quotes(name) + " is a system call that no program of this machine can make: "
                                "the line selects nothing",
              {}});
    for (auto* form = next_form(*statement.subject->row); form; form = next_form(*form))
        add_for(statement, Subject::of(*form));
}

Builder::Entry& Builder::entry_for(const Subject& subject) {
    const auto [place, is_new] = index_.try_emplace(key_of(subject), entries_.size());
    if (is_new)
        entries_.push_back({subject, {}, {}});
    return entries_[place->second];
}

void Builder::add_for(const Statement& statement, const Subject& subject) {
    check_room(subject, statement.head);
    Entry& entry = entry_for(subject);
    for (const Clause& clause : statement.clauses) {
        add_clause(entry, statement, resolver_.resolve(clause, subject));
        if (subject.row == subject.call)
            warn_of_oddities(clause, subject);
    }
    apply_line(entry, statement);
}

/// The places of a group's calls in entries_.
const std::vector<size_t>& Builder::entries_of(const Group* group) {
    const auto [place, is_new] = entries_of_.try_emplace(group);
    if (is_new)
        for (const auto& row : ebpf_loader::syscall_rows())
            if (!group || group->has(row.name))
                place->second.push_back(static_cast<size_t>(&entry_for(Subject::of(row)) - entries_.data()));
    return place->second;
}

/// A clause applies to the calls that have the fields it compares; it is a mistake when no call has them.
void Builder::add_for_every_call(const Statement& statement) {
    std::vector<Use> uses(statement.clauses.size());
    for (const size_t place : entries_of(statement.group))
        if (add_for_row(entries_[place], statement, uses))
            apply_line(entries_[place], statement);
    for (size_t i = 0; i < uses.size(); ++i)
        if (!uses[i].used)
            check_unused(statement.clauses[i], uses[i]);
}

/// Throws the Mistake of a clause that a call has refused. Most clauses fit some other, so why the first one
/// did is put into words only here.
void Builder::check_unused(const Clause& clause, const Use& use) const {
    try {
        if (use.mistake)
            throw Mistake(*use.mistake);
        if (use.unfit)
            resolve(source_, clause, *use.unfit);
    } catch (const Mistake& why) {
        throw Mistake{why.where, "this clause fits no system call; for example: " + why.message,
                      why.expected};
    }
}

/// Returns false where no clause applies to the call.
bool Builder::add_for_row(Entry& entry, const Statement& statement, std::vector<Use>& uses) {
    bool applies = statement.clauses.empty();
    for (size_t i = 0; i < statement.clauses.size(); ++i) {
        Use& use = uses[i];
        const bool is_first = !use.unfit && !use.mistake; // one reason is enough
        try {
            if (auto resolved = resolver_.resolve_fitting(statement.clauses[i], entry.subject)) {
                add_clause(entry, statement, *std::move(resolved));
                use.used = applies = true;
            } else if (is_first) {
                use.unfit = &entry.subject;
            }
        } catch (const Mistake& mistake) {
            if (is_first)
                use.mistake = mistake;
        }
    }
    return applies;
}

RuleLines Builder::lines_of(const Statement& statement) const {
    const auto line = static_cast<uint32_t>(source_.line_of(statement.head.begin));
    return {line, line, source_.has_several_files() ? source_.name_of(statement.head.begin) : ""};
}

/// The comparisons that an incomplete clause leaves out may be true or false: the clause selects events
/// but excludes none.
void Builder::add_clause(Entry& entry, const Statement& statement, Resolved clause) {
    SharedTests tests = narrowed(std::move(clause.tests), statement, entry.subject);
    needs_lineage_ = needs_lineage_ || std::any_of(tests->texts.begin(), tests->texts.end(), asks_lineage);
    tests_ += tests->numbers.size() + tests->texts.size();
    if (tests_ > MAX_EXPANDED)
        throw Mistake{statement.head,
                      "the rules need more than " + std::to_string(MAX_EXPANDED) + " comparisons",
                      "fewer or smaller rules"};
    if (!statement.exclude && (statement.in_order || !statement.key.empty()))
        entry.filter.add_key(statement.key, tests);
    if (!statement.exclude && keeps_lines_)
        entry.filter.add_line(lines_of(statement), statement.key,
                              statement.in_order || !statement.key.empty(), tests);
    if (!statement.exclude)
        entry.filter.include(std::move(tests));
    else if (clause.complete && statement.in_order)
        entry.filter.exclude_from_here(std::move(tests));
    else if (clause.complete)
        entry.filter.exclude(std::move(tests));
}

/// Applies what the line says besides its clauses.
void Builder::apply_line(Entry& entry, const Statement& statement) {
    if (statement.exclude && !statement.every_call && entry.subject.row == entry.subject.call)
        entry.not_lines.push_back(statement.head);
    if (statement.clauses.empty())
        add_clause(entry, statement, {std::make_shared<const Tests>(), true});
    if (statement.require_standard)
        entry.filter.require_standard();
    if (statement.require_specific)
        entry.filter.require_specific();
}

/// Numbers that the table does not know share the rows after the table's own.
void Builder::check_room(const Subject& subject, Span head) {
    if (subject.row || subject.process != EBT_ROW_NONE || index_.contains(key_of(subject)))
        return;
    const size_t room = EBT_ROWS - EBT_FIRST_SYSCALL_ROW - ebpf_loader::syscall_rows().size();
    if (++unknown_numbers_ > room)
        throw Mistake{head, "too many numbers that the table of system calls does not know",
                      "up to " + std::to_string(room) + " of them"};
}

/// Not all of a file that has nothing else.
void Builder::report(std::vector<std::string>& to, std::string_view severity, const Mistake& what) {
    constexpr size_t SHOWN = 10000;
    if (to.size() < SHOWN)
        to.push_back(source_.describe(severity, what));
    else if (to.size() == SHOWN)
        to.push_back("and more of these\n");
}

void Builder::warn(Span where, const std::string& message, const std::string& expected) {
    constexpr size_t SHOWN = 100;
    if (oddities_++ < SHOWN)
        report(warnings_, "warning", {where, message, expected});
}

void Builder::warn_of_oddities(const Clause& clause, const Subject& subject) {
    for (const Term& term : clause) {
        if (term.macro_at || term.comparison->type != Type::number)
            continue;
        const Resolved resolved = resolve(source_, {term}, subject);
        const std::string why = oddity(*term.comparison, resolved.tests->numbers.front());
        if (!why.empty())
            warn({term.comparison->field_at.begin, term.comparison->value_at.end}, why, {});
    }
}

void Builder::finish() {
    bool selects = false;
    ClauseTables tables;
    for (Entry& entry : entries_) {
        selects = selects || entry.filter.selected();
        if (!entry.filter.included())
            for (Span head : entry.not_lines)
                warn(head, "no line selects " + entry.subject.name() + ": there is nothing to exclude", {});
        entry.filter.finish(tables);
    }
    if (!selects)
        warn({}, "the rules select no event at all",
             "a line that begins with the name of a system call, such as: execve");
}

} // namespace telemetry::rules
