// SPDX-License-Identifier: MIT
#include "rules_filter.hpp"

#include <algorithm>
#include <iterator>

#include "rules_match.hpp"

namespace telemetry::rules {
namespace {

void sort_and_deduplicate(std::vector<Tests>& clauses) {
    std::sort(clauses.begin(), clauses.end());
    clauses.erase(std::unique(clauses.begin(), clauses.end()), clauses.end());
}

/// Only the numbers of each clause, without those clauses that another one makes superfluous.
std::vector<Tests> numeric_parts(const std::vector<Tests>& clauses) {
    constexpr size_t REDUCED = 1024; // comparing each with each; so many do not fit anyway
    std::vector<Tests> parts;
    for (const Tests& clause : clauses)
        parts.push_back({clause.numbers, {}});
    sort_and_deduplicate(parts);
    if (parts.size() > REDUCED)
        return parts;
    std::vector<Tests> result;
    for (const Tests& part : parts) {
        const bool superfluous = std::any_of(parts.begin(), parts.end(), [&](const Tests& other) {
            return &other != &part && std::includes(part.numbers.begin(), part.numbers.end(),
                                                    other.numbers.begin(), other.numbers.end());
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

ClauseTable::ClauseTable(const std::vector<Tests>& clauses) {
    const std::vector<NumberTest>* shared = nullptr;
    for (const Tests& clause : clauses) { // sorted, hence equal numbers are neighbours
        if (!shared || *shared != clause.numbers) {
            const auto begin = static_cast<uint32_t>(numbers_.size());
            numbers_.insert(numbers_.end(), clause.numbers.begin(), clause.numbers.end());
            const auto alternative = static_cast<uint32_t>(alternatives_.size());
            groups_.push_back({{begin, static_cast<uint32_t>(numbers_.size())}, {alternative, alternative}});
            shared = &clause.numbers;
        }
        const auto begin = static_cast<uint32_t>(texts_.size());
        texts_.insert(texts_.end(), clause.texts.begin(), clause.texts.end());
        alternatives_.push_back({begin, static_cast<uint32_t>(texts_.size())});
        ++groups_.back().alternatives.end;
    }
}

bool ClauseTable::numbers_hold(Range range, const Event& event) const {
    for (uint32_t i = range.begin; i < range.end; ++i)
        if (!holds(numbers_[i], event))
            return false;
    return true;
}

bool ClauseTable::texts_hold(Range range, const Event& event, bool when_unknown) const {
    for (uint32_t i = range.begin; i < range.end; ++i)
        if (!holds(texts_[i], event, when_unknown))
            return false;
    return true;
}

bool ClauseTable::any(const Event& event, bool when_unknown) const {
    for (const Group& group : groups_) {
        if (!numbers_hold(group.numbers, event))
            continue;
        for (uint32_t i = group.alternatives.begin; i < group.alternatives.end; ++i)
            if (texts_hold(alternatives_[i], event, when_unknown))
                return true;
    }
    return false;
}

void CallFilter::finish() {
    sort_and_deduplicate(includes_);
    sort_and_deduplicate(excludes_);
    include_table_ = ClauseTable(includes_);
    exclude_table_ = ClauseTable(excludes_);
}

/// A clause with text lets pass in the kernel whatever its numbers allow; one that excludes
/// can do so there only when it is wholly numeric.
KernelFilter CallFilter::kernel() const {
    KernelFilter filter;
    std::vector<Tests> included = include_all_ ? std::vector<Tests>{} : numeric_parts(includes_);
    filter.include_all =
        include_all_ || included.front().numbers.empty() || count_numbers(included) > EBT_PREDICATES;
    if (filter.include_all)
        included.clear();
    const auto is_numeric = [](const Tests& clause) { return clause.texts.empty(); };
    filter.exact = (include_all_ ||
                    (!filter.include_all && std::all_of(includes_.begin(), includes_.end(), is_numeric))) &&
                   std::all_of(excludes_.begin(), excludes_.end(), is_numeric) && !require_standard_ &&
                   !require_specific_;

    size_t room = EBT_PREDICATES - count_numbers(included);
    std::vector<Tests> excluded;
    std::copy_if(excludes_.begin(), excludes_.end(), std::back_inserter(excluded), is_numeric);
    for (const Tests& clause : numeric_parts(excluded)) {
        if (clause.numbers.size() > room) {
            filter.exact = false;
            continue;
        }
        room -= clause.numbers.size();
        append_clause(filter.predicates, clause, EBT_CLAUSE_END | EBT_EXCLUDE);
    }
    for (const Tests& clause : included)
        append_clause(filter.predicates, clause, EBT_CLAUSE_END);
    return filter;
}

bool CallFilter::matches(const Event& event) const {
    if (require_standard_ && standard_fields_failed(event))
        return false;
    if (require_specific_ && specific_fields_failed(event))
        return false;
    if (!include_all_ && !include_table_.any(event, true))
        return false;
    return excludes_.empty() || !exclude_table_.any(event, false);
}

} // namespace telemetry::rules
