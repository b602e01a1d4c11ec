// SPDX-License-Identifier: MIT
#include "telemetry/rules/kernel/kernel_filter.hpp"

#include <algorithm>
#include <iterator>

#include <ebpf_loader/path_screen.hpp>

namespace telemetry::rules {
namespace {

/// Can the kernel test all of the clause?
bool is_numeric(const Tests* clause) {
    return clause->texts.empty() && std::ranges::all_of(clause->numbers, runs_in_kernel);
}

/// What of the clause the kernel can test.
Tests numeric_part(const Tests& clause) {
    Tests part;
    std::copy_if(clause.numbers.begin(), clause.numbers.end(), std::back_inserter(part.numbers),
                 runs_in_kernel);
    return part;
}

bool has_all(const Tests& clause, const Tests& part) {
    return std::includes(clause.numbers.begin(), clause.numbers.end(), part.numbers.begin(),
                         part.numbers.end());
}

/// What one of the paths has to contain for the clause to be true; empty: it may be whatever they are.
std::string_view needle_of(const Tests& clause) {
    std::vector<std::string_view> texts;
    for (const TextTest& test : clause.texts)
        if (test.field == TextField::path && test.op != Op::ne)
            texts.push_back(test.text);
    return ebpf_loader::PathScreen::needle_of(texts);
}

/// The same for one of the clauses to be true.
Needles needles_of(const std::vector<const Tests*>& clauses, KnownNeedles& known) {
    Needles needles;
    for (const Tests* clause : clauses) {
        const auto [place, is_new] = known.try_emplace(clause);
        if (is_new)
            place->second = needle_of(*clause);
        const std::string_view needle = place->second;
        if (needle.empty())
            return {};
        needles.emplace(needle);
    }
    return needles;
}

/// Of each part of what is included: an event that a clause wants fulfils the numbers of one of the parts.
std::vector<Needles> needles_of(const std::vector<Tests>& parts, const std::vector<const Tests*>& clauses,
                                KnownNeedles& known) {
    std::vector<std::vector<const Tests*>> behind(parts.size());
    for (const Tests* clause : clauses) {
        const Tests own = numeric_part(*clause);
        const auto part = std::ranges::find_if(parts, [&](const Tests& some) { return has_all(own, some); });
        behind[static_cast<size_t>(part - parts.begin())].push_back(clause);
    }
    std::vector<Needles> needles;
    for (const auto& some : behind)
        needles.push_back(needles_of(some, known));
    return needles;
}

/// Returns the numeric part of each clause, without the clauses that another one makes superfluous.
std::vector<Tests> numeric_parts(const std::vector<const Tests*>& clauses) {
    constexpr size_t REDUCED =
        1024; // each is compared with each; more than these do not fit into the kernel anyway
    std::vector<Tests> parts;
    for (const Tests* clause : clauses) {
        Tests part = numeric_part(*clause);
        if (parts.empty() || part != parts.back()) // most clauses of texts have the same, or none
            parts.push_back(std::move(part));
    }
    std::ranges::sort(parts);
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    if (parts.size() > REDUCED)
        return parts;
    std::vector<Tests> result;
    for (const Tests& part : parts) {
        const bool superfluous = std::any_of(parts.begin(), parts.end(), [&](const Tests& other) {
            return &other != &part && has_all(part, other);
        });
        if (!superfluous)
            result.push_back(part);
    }
    return result;
}

size_t count_numbers(const std::vector<Tests>& clauses) {
    size_t count = 0;
    for (const Tests& clause : clauses)
        count += clause.numbers.size();
    return count;
}

void append_clause(std::vector<ebt_predicate>& out, const Tests& clause, uint8_t end_flags) {
    for (const NumberTest& test : clause.numbers) {
        ebt_predicate predicate{};
        predicate.value = test.value;
        predicate.operator_ = test.op;
        predicate.flags = test.is_signed ? EBT_SIGNED : 0;
        predicate.shift = test.shift;
        predicate.operand = test.operand;
        out.push_back(predicate);
    }
    out.back().flags |= end_flags;
}

} // namespace

bool runs_in_kernel(const NumberTest& test) {
    return test.value < FIRST_PROGRAM_VALUE && test.other == NumberTest::NONE && test.op <= EBT_ANY_BITS;
}

KernelFilter kernel_filter(const std::vector<const Tests*>& included, bool includes_all,
                           const std::vector<const Tests*>& excluded, KnownNeedles& known) {
    KernelFilter filter;
    std::vector<Tests> parts = includes_all ? std::vector<Tests>{} : numeric_parts(included);
    filter.include_all =
        parts.empty() || parts.front().numbers.empty() || count_numbers(parts) > EBT_PREDICATES;
    if (filter.include_all)
        parts.clear();
    if (!includes_all)
        filter.needles = needles_of(filter.include_all ? std::vector<Tests>(1) : parts, included, known);
    const bool includes_exactly =
        includes_all || (!filter.include_all && std::ranges::all_of(included, is_numeric));
    filter.exact = includes_exactly && std::ranges::all_of(excluded, is_numeric);

    size_t room = EBT_PREDICATES - count_numbers(parts);
    std::vector<const Tests*> excluding;
    std::ranges::copy_if(excluded, std::back_inserter(excluding), is_numeric);
    for (const Tests& clause : numeric_parts(excluding)) {
        if (clause.numbers.size() > room) {
            filter.exact = false;
            continue;
        }
        room -= clause.numbers.size();
        append_clause(filter.predicates, clause, EBT_CLAUSE_END | EBT_EXCLUDE);
    }
    for (const Tests& clause : parts)
        append_clause(filter.predicates, clause, EBT_CLAUSE_END);
    return filter;
}

} // namespace telemetry::rules
