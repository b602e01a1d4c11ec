// SPDX-License-Identifier: MIT
#include "telemetry/rules/filter.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "telemetry/rules/terms/values.hpp"

namespace telemetry::rules {
namespace {

/// In order, so that equal numeric parts are neighbours, and each once.
std::vector<const Tests*> sorted_and_deduplicated(const std::vector<SharedTests>& clauses) {
    std::vector<const Tests*> sorted;
    for (const SharedTests& clause : clauses)
        sorted.push_back(clause.get());
    std::sort(sorted.begin(), sorted.end(), [](const Tests* a, const Tests* b) { return *a < *b; });
    const auto equal = [](const Tests* a, const Tests* b) { return *a == *b; };
    sorted.erase(std::unique(sorted.begin(), sorted.end(), equal), sorted.end());
    return sorted;
}

/// Of a clause of several texts the test that decides most, of a field whose sets are searched at once; null:
/// it has none.
const TextTest* most_telling(const std::vector<TextTest>& texts) {
    constexpr Op order[] = {Op::eq, Op::prefix, Op::suffix, Op::contains};
    for (const Op op : order)
        for (const TextTest& test : texts)
            if (test.op == op && TextSet::is_searched(test.field))
                return &test;
    return nullptr;
}

bool all_hold(const std::vector<TextTest>& clause, const Event& event, bool when_unknown) {
    return std::all_of(clause.begin(), clause.end(),
                       [&](const TextTest& test) { return holds(test, event, when_unknown); });
}

} // namespace

ClauseTable::ClauseTable(const std::vector<SharedTests>& clauses) {
    const std::vector<const Tests*> sorted = sorted_and_deduplicated(clauses);
    std::vector<Group> groups;
    for (size_t begin = 0, end; begin < sorted.size(); begin = end) {
        std::vector<const Tests*> same;
        for (end = begin; end < sorted.size() && sorted[end]->numbers == sorted[begin]->numbers; ++end)
            same.push_back(sorted[end]);
        groups.emplace_back().numbers = sorted[begin]->numbers;
        groups.back().add(same);
    }
    if (!groups.empty())
        groups_ = std::make_shared<const std::vector<Group>>(std::move(groups));
}

void ClauseTable::Group::add(const std::vector<const Tests*>& clauses) {
    std::map<TextField, std::vector<TextTest>> single, gates;
    std::map<TextField, std::vector<std::vector<TextTest>>> behind;
    for (const Tests* clause : clauses) {
        const auto& texts = clause->texts;
        if (texts.empty())
            without_text = true;
        else if (texts.size() == 1 && texts.front().op != Op::ne)
            single[texts.front().field].push_back(texts.front());
        else if (const TextTest* const test = most_telling(texts)) {
            gates[test->field].push_back(*test);
            behind[test->field].push_back(texts);
        } else
            others.push_back(texts);
    }
    for (auto& [field, tests] : single)
        sets.emplace_back(std::move(tests));
    for (auto& [field, tests] : gates)
        gated.push_back({TextSet(std::move(tests)), std::move(behind[field])});
}

bool ClauseTable::Group::holds(const Event& event, bool when_unknown) const {
    for (const NumberTest& test : numbers)
        if (!rules::holds(test, event, when_unknown))
            return false;
    if (without_text)
        return true;
    for (const TextSet& set : sets)
        if (set.any_holds(event, when_unknown))
            return true;
    const auto holds_one = [&](const std::vector<std::vector<TextTest>>& clauses) {
        return std::any_of(clauses.begin(), clauses.end(), [&](const std::vector<TextTest>& clause) {
            return all_hold(clause, event, when_unknown);
        });
    };
    for (const Gated& some : gated)
        if (some.gate.any_holds(event, when_unknown) && holds_one(some.clauses))
            return true;
    return holds_one(others);
}

bool ClauseTable::any(const Event& event, bool when_unknown) const {
    return groups_ && std::any_of(groups_->begin(), groups_->end(),
                                  [&](const Group& group) { return group.holds(event, when_unknown); });
}

/// Clauses are compared by their addresses: those of a Resolver are the same where they are equal.
ClauseTable ClauseTables::of(const std::vector<SharedTests>& clauses) {
    const auto known = known_.find(clauses);
    return known != known_.end() ? known->second
                                 : known_.emplace(clauses, ClauseTable(clauses)).first->second;
}

void CallFilter::Block::add(SharedTests clause) {
    if (clause->empty())
        every = true;
    else
        clauses.push_back(std::move(clause));
}

CallFilter::Block& CallFilter::block(bool excludes) {
    if (blocks_.empty() || blocks_.back().excludes != excludes)
        blocks_.emplace_back(excludes);
    return blocks_.back();
}

/// As long as nothing is included it makes no difference, and the kernel can do the other kind.
void CallFilter::exclude_from_here(SharedTests clause) {
    if (blocks_.empty())
        exclude(std::move(clause));
    else
        block(true).add(std::move(clause));
}

void CallFilter::finish(ClauseTables& tables) {
    excluded_.table = tables.of(excluded_.clauses);
    for (Block& block : blocks_)
        block.table = tables.of(block.clauses);
    for (Keyed& keyed : keyed_) {
        keyed.table = tables.of(keyed.clauses);
        keyed.clauses = {};
    }
    finish_lines(tables);
}

void CallFilter::add_line(const RuleLines& lines, std::string_view key, bool decides, SharedTests clause) {
    if (lines_.empty() || lines_.back().last != lines.last || lines_.back().file != lines.file)
        lines_.push_back(
            {lines.first, lines.last, std::string(lines.file), std::string(key), decides, {}, {}});
    lines_.back().clauses.push_back(std::move(clause));
}

/// Each is tested in turn, so there must not be many.
void CallFilter::finish_lines(ClauseTables& tables) {
    constexpr size_t most = 64;
    const size_t together = (lines_.size() + most - 1) / most;
    std::vector<OfLine> parts;
    size_t in_part = 0;
    for (OfLine& line : lines_) {
        const bool is_like_last = !parts.empty() && parts.back().file == line.file &&
                                  parts.back().key == line.key && parts.back().decides == line.decides;
        if (!is_like_last || in_part == together) {
            parts.push_back({line.first, line.last, line.file, line.key, line.decides, {}, {}});
            in_part = 0;
        }
        ++in_part;
        parts.back().last = line.last;
        std::ranges::move(line.clauses, std::back_inserter(parts.back().clauses));
    }
    for (OfLine& part : parts) {
        part.table = tables.of(part.clauses);
        part.clauses = {};
    }
    lines_ = std::move(parts);
}

ChosenRule CallFilter::chosen(const Event& event) const {
    ChosenRule chosen;
    for (const OfLine& part : lines_) {
        if (!part.decides && chosen.lines.first != 0)
            continue;
        if (lines_.size() > 1 && !part.table.any(event, true)) // the only one has to be it: the event matches
            continue;
        if (chosen.lines.first == 0)
            chosen.lines = {part.first, part.last, part.file};
        if (part.decides) {
            chosen.key = part.key;
            break;
        }
    }
    return chosen;
}

void CallFilter::add_key(std::string_view key, SharedTests clause) {
    if (keyed_.empty() || keyed_.back().key != key)
        keyed_.push_back({std::string(key), {}, {}});
    keyed_.back().clauses.push_back(std::move(clause));
}

std::string_view CallFilter::key(const Event& event) const {
    for (const Keyed& keyed : keyed_)
        if (keyed.table.any(event, true))
            return keyed.key;
    return {};
}

/// All that is included by blocks before one that excludes everything.
CallFilter::Included CallFilter::included_clauses() const {
    Included all;
    for (const Block& block : blocks_) {
        if (block.excludes && block.every)
            break;
        if (block.excludes)
            continue;
        all.every = all.every || block.every;
        for (const SharedTests& clause : block.clauses)
            all.clauses.push_back(clause.get());
    }
    return all;
}

uint8_t CallFilter::abis() const {
    const Included included = included_clauses();
    uint8_t abis = included.every ? terms::EVERY_ABI : 0;
    for (const Tests* clause : included.clauses) {
        uint8_t wanted = terms::EVERY_ABI;
        for (const TextTest& test : clause->texts)
            wanted &= terms::abis_of(test);
        abis |= wanted;
    }
    return abis;
}

KernelFilter CallFilter::kernel(KnownNeedles& known) const {
    const Included all = included_clauses();
    std::vector<const Tests*> excluded;
    for (const SharedTests& clause : excluded_.clauses)
        excluded.push_back(clause.get());
    KernelFilter filter = kernel_filter(all.clauses, all.every, excluded, known);
    filter.exact &= blocks_.size() == 1 && !require_standard_ && !require_specific_;
    return filter;
}

/// What is not known includes and does not exclude.
bool CallFilter::matches(const Event& event) const {
    if (require_standard_ && standard_fields_failed(event))
        return false;
    if (require_specific_ && specific_fields_failed(event))
        return false;
    for (const Block& block : blocks_)
        if (block.any(event, !block.excludes))
            return !block.excludes && !excluded_.any(event, false);
    return false;
}

} // namespace telemetry::rules
