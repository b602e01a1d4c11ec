// SPDX-License-Identifier: MIT
#include "telemetry/rules/resolve.hpp"

#include <algorithm>

#include <ebpf_loader/constants.hpp>

#include "telemetry/base/escape.hpp"

namespace telemetry::rules {
namespace {

/// Where a number is in one kind of event, and how it is compared.
struct NumericField {
    uint8_t value; ///< ebt_value
    bool is_32_bit;
    bool is_signed;
    std::string_view constants; ///< the set in which symbols are looked up first
};

/// Returns nullopt when this form of the call passes the argument in halves, which are never compared.
std::optional<NumericField> numeric_argument(uint8_t index, const Subject& subject) {
    if (!subject.row) // the table does not know the call
        return NumericField{index, false, false, {}};
    const auto here = subject.index_in_row(index);
    if (!here)
        return std::nullopt;
    const auto& argument = subject.row->argument[*here];
    return NumericField{*here, ebpf_loader::is_32_bit(argument.kind), false, argument.flag_set};
}

std::optional<NumericField> numeric_field(std::string_view name, const Subject& subject) {
    if (const Field* field = subject.field(name))
        return NumericField{value_id(*field), field->is_32_bit, field->is_signed, field->constants};
    return numeric_argument(subject.argument(name).value(), subject);
}

uint64_t value_of(const NumberTerm& term, const NumericField& field) {
    if (term.symbol.empty())
        return term.bits;
    auto value =
        field.constants.empty() ? std::nullopt : ebpf_loader::find_constant(field.constants, term.symbol);
    if (!value)
        value = ebpf_loader::find_constant({}, term.symbol);
    if (!value)
        throw Mistake{term.where, in_quotes(term.symbol) + " has different values for different calls",
                      "the number"};
    return term.negative ? -*value : *value;
}

bool fits_32_bits(uint64_t value) {
    return value <= 0xffffffff || value >= 0xffffffff80000000;
}

bool is_order(Op op) {
    return op == Op::lt || op == Op::gt || op == Op::le || op == Op::ge;
}

/// The kernel has < and > alone: >= 5 is > 4. What every value fulfils has all bits of 0 set.
NumberTest order_test(NumberTest test, Op op) {
    const uint64_t one = uint64_t{1} << test.shift;
    const uint64_t lowest = test.is_signed ? uint64_t{1} << 63 : 0;
    const uint64_t highest = (lowest ? ~lowest : UINT64_MAX) & ~(one - 1);
    test.op = op == Op::lt || op == Op::le ? EBT_LT : EBT_GT;
    if (op == Op::lt || op == Op::gt)
        return test;
    if (test.operand == (op == Op::ge ? lowest : highest))
        return {test.value, EBT_ALL_BITS, false, test.shift, 0, NumberTest::NONE, false};
    test.operand += op == Op::ge ? -one : one;
    return test;
}

NumberTest number_test(const Comparison& comparison, const NumericField& field) {
    const auto op = static_cast<uint8_t>(comparison.op);
    if (!comparison.other.empty())
        return {field.value,           op, false, 32, 0, value_id(*find_field(comparison.other)),
                comparison.one_differs};
    uint64_t value = 0;
    bool negative = false;
    for (const NumberTerm& term : comparison.number) {
        value |= value_of(term, field);
        negative = negative || term.negative;
    }
    const bool is_32_bit = field.is_32_bit || comparison.is_32_bit;
    if (is_32_bit && !fits_32_bits(value))
        throw Mistake{comparison.value_at,
                      "the value does not fit in the 32 bits of " + std::string(comparison.field),
                      "a value from -2147483648 to 4294967295"};
    const uint8_t shift = is_32_bit ? 32 : 0;
    const NumberTest test{field.value,           op, false, shift, value << shift, NumberTest::NONE,
                          comparison.one_differs};
    if (!is_order(comparison.op))
        return test;
    NumberTest ordered = test;
    ordered.is_signed = comparison.is_signed || negative || field.is_signed;
    return order_test(ordered, comparison.op);
}

/// Returns false when this form of the call has no such argument.
bool add_test(Tests& tests, const Comparison& comparison, const Subject& subject) {
    check_field(subject, comparison.field, comparison.field_at);
    if (!comparison.other.empty())
        check_field(subject, comparison.other, comparison.value_at);
    if (!is_of_type(comparison, subject))
        throw Mistake{comparison.field_at,
                      subject.name() + " has a number in place of the string " +
                          std::string(comparison.field),
                      "one of its arguments: " + subject.argument_list()};
    if (const Field* known = subject.field(comparison.field); comparison.type == Type::text && !known) {
        const auto argument = subject.index_in_row(subject.argument(comparison.field).value());
        if (!argument)
            return false;
        tests.texts.push_back({TextField::argument, comparison.op, comparison.text, *argument});
    } else if (comparison.type == Type::text) {
        const auto field = static_cast<TextField>(value_id(*find_field(comparison.field)));
        tests.texts.push_back({field, comparison.op, comparison.text, comparison.index});
    } else if (comparison.type == Type::truth) {
        const auto op = static_cast<uint8_t>(comparison.op);
        tests.numbers.push_back(
            {find_field(comparison.field)->id, op, false, 0, comparison.truth, NumberTest::NONE, false});
    } else {
        const auto field = numeric_field(comparison.field, subject);
        if (!field)
            return false;
        tests.numbers.push_back(number_test(comparison, *field));
    }
    return true;
}

/// The order of comparisons joined by AND has no meaning: after sorting, equal clauses look equal.
template <typename T> void sort_and_deduplicate(std::vector<T>& items) {
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
}

bool meets_need(const Subject& subject, Needs need) {
    switch (need) {
    case Needs::path:
        return subject.names_paths();
    case Needs::address:
        return subject.names_addresses();
    case Needs::result:
        return subject.returns();
    case Needs::nothing:
        break;
    }
    return true;
}

constexpr uint8_t need_bit(Needs need) {
    return static_cast<uint8_t>(1u << static_cast<unsigned>(need));
}

uint8_t needs_met(const Subject& subject) {
    uint8_t met = 0;
    for (const Needs need : {Needs::nothing, Needs::path, Needs::address, Needs::result})
        met |= meets_need(subject, need) ? need_bit(need) : 0;
    return met;
}

} // namespace

bool has_field(const Subject& subject, std::string_view name) {
    const Field* field = subject.field(name);
    return field ? meets_need(subject, field->needs) : subject.argument(name).has_value();
}

/// A comparison with text in a line for several calls is for those in which the argument is a string.
bool is_of_type(const Comparison& comparison, const Subject& subject) {
    if (subject.field(comparison.field))
        return true;
    const auto argument = subject.argument(comparison.field);
    return comparison.type != Type::text || (argument && subject.is_string(*argument));
}

bool fits(const Clause& clause, const Subject& subject) {
    return std::all_of(clause.begin(), clause.end(), [&](const Term& term) {
        const Comparison& comparison = *term.comparison;
        return has_field(subject, comparison.field) && is_of_type(comparison, subject) &&
               (comparison.other.empty() || has_field(subject, comparison.other));
    });
}

void check_field(const Subject& subject, std::string_view field, Span where) {
    if (has_field(subject, field))
        return;
    const std::string name = subject.name();
    const std::string others = "one of " + field_list(subject);
    if (const Field* known = find_field(field)) {
        if (known->needs == Needs::path)
            throw Mistake{where, name + " names no path", others};
        if (known->needs == Needs::address)
            throw Mistake{where, name + " names no address", others};
        throw Mistake{where, name + " never returns: it has no " + std::string(field), others};
    }
    if (subject.process != EBT_ROW_NONE)
        throw Mistake{where, name + " is not a system call: it has no arguments", others};
    const std::string list = subject.argument_list();
    throw Mistake{where, name + " has no argument " + std::string(field),
                  list.empty() ? others : "one of its arguments: " + list};
}

std::string field_list(const Subject& subject) {
    std::string result;
    for (const auto& field : fields())
        if (has_field(subject, field.name))
            result.append(result.empty() ? "" : ", ").append(field.name);
    return result;
}

Resolved resolve(const SourceText& source, const Clause& clause, const Subject& subject) {
    Tests tests;
    bool complete = true;
    for (const Term& term : clause) {
        try {
            complete = add_test(tests, *term.comparison, subject) && complete;
        } catch (Mistake& mistake) {
            if (!term.macro_at)
                throw;
            throw Mistake{*term.macro_at,
                          std::string(source.text(*term.macro_at)) + " (" +
                              source.line_as_seen_from(term.macro_at->begin, mistake.where.begin) +
                              "): " + mistake.message,
                          mistake.expected};
        }
    }
    sort_and_deduplicate(tests.numbers);
    sort_and_deduplicate(tests.texts);
    return {std::make_shared<const Tests>(std::move(tests)), complete};
}

size_t Resolver::Hash::operator()(const Clause& clause) const {
    size_t hash = clause.size();
    for (const Term& term : clause)
        hash = hash * 31 + std::hash<const Comparison*>()(term.comparison.get());
    return hash;
}

bool Resolver::Same::operator()(const Clause& one, const Clause& other) const {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const Term& a, const Term& b) { return a.comparison == b.comparison; });
}

Resolver::Known& Resolver::known(const Clause& clause) {
    const auto [place, is_new] = known_.try_emplace(clause);
    Known& known = place->second;
    if (!is_new)
        return known;
    known.is_common = true;
    const auto add = [&](std::string_view name) {
        const Field* field = find_field(name);
        known.is_common = known.is_common && field && !field->yields;
        known.needs |= known.is_common ? need_bit(field->needs) : 0;
    };
    for (const Term& term : clause) {
        add(term.comparison->field);
        if (!term.comparison->other.empty())
            add(term.comparison->other);
    }
    return known;
}

bool Resolver::meets(uint8_t needs, const Subject& subject) {
    if (!subject.row)
        return (needs & ~needs_met(subject)) == 0;
    const auto [place, is_new] = met_.try_emplace(subject.row);
    if (is_new)
        place->second = needs_met(subject);
    return (needs & ~place->second) == 0;
}

Resolved Resolver::common(Known& known, const Clause& clause, const Subject& subject) const {
    if (!known.tests)
        known.tests = rules::resolve(source_, clause, subject).tests;
    return {known.tests, true};
}

Resolved Resolver::resolve(const Clause& clause, const Subject& subject) {
    Known& known = this->known(clause);
    if (known.is_common && meets(known.needs, subject))
        return common(known, clause, subject);
    return rules::resolve(source_, clause, subject);
}

std::optional<Resolved> Resolver::resolve_fitting(const Clause& clause, const Subject& subject) {
    Known& known = this->known(clause);
    if (known.is_common ? !meets(known.needs, subject) : !fits(clause, subject))
        return std::nullopt;
    return known.is_common ? common(known, clause, subject) : rules::resolve(source_, clause, subject);
}

std::string oddity(const Comparison& comparison, const NumberTest& test) {
    if (test.other != NumberTest::NONE)
        return {};
    const uint64_t highest = test.shift ? UINT64_MAX << test.shift : UINT64_MAX;
    if (test.op == EBT_LT && !test.is_signed && test.operand == 0)
        return "nothing is less than 0 unsigned; for a signed comparison write s0";
    if (test.op == EBT_GT && !test.is_signed && test.operand == highest)
        return "nothing is greater than this value unsigned";
    if (test.op == EBT_ANY_BITS && test.operand == 0)
        return "no value has a bit of 0 set: this is never true";
    if (test.op == static_cast<uint8_t>(Op::no_bits) && test.operand == 0)
        return "no value has a bit of 0 set: this is always true";
    if (test.op == EBT_ALL_BITS && test.operand == 0 && is_order(comparison.op))
        return "no value is " + std::string(comparison.op == Op::ge ? "less" : "greater") +
               " than this one: this is always true";
    if (test.op == EBT_ALL_BITS && test.operand == 0)
        return "every value has all bits of 0 set: this is always true";
    const auto& first = comparison.number.front();
    if (test.value == EBT_VALUE_RET && !first.symbol.empty() && !first.negative &&
        ebpf_loader::find_constant("errno", first.symbol))
        return "a call returns its error as a negative number: write -" + std::string(first.symbol);
    return {};
}

} // namespace telemetry::rules
