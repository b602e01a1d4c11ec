// SPDX-License-Identifier: MIT
#pragma once
#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "telemetry/rules/syntax.hpp"

namespace telemetry::rules {

/// A comparison as the kernel does it (see ebt_predicate), or the program alone.
struct NumberTest {
    static constexpr uint8_t NONE = UINT8_MAX;

    uint8_t value; ///< ebt_value
    uint8_t op;    ///< ebt_operator
    bool is_signed;
    uint8_t shift;
    uint64_t operand;         ///< already shifted
    uint8_t other = NONE;     ///< the value that takes the place of the operand: of EBT_EQ and EBT_NE
    bool one_differs = false; ///< of several values one that differs is enough for EBT_NE
    auto operator<=>(const NumberTest&) const = default;
};

struct TextTest {
    TextField field;
    Op op;
    std::string text;
    uint16_t index = 0; ///< of argv[n]
    auto operator<=>(const TextTest&) const = default;
};

/// Comparisons joined by AND.
struct Tests {
    std::vector<NumberTest> numbers;
    std::vector<TextTest> texts;
    bool empty() const { return numbers.empty() && texts.empty(); }
    auto operator<=>(const Tests&) const = default;
};

/// Of a clause, which the filters of several calls may have.
using SharedTests = std::shared_ptr<const Tests>;

struct Resolved {
    SharedTests tests; ///< not null
    bool complete; ///< false: a comparison was left out because this form of the call has no such argument
};

/// Have the events of `subject` such a field?
bool has_field(const Subject& subject, std::string_view field);
/// Is what the comparison compares a string or a number there, as it takes it for?
bool is_of_type(const Comparison& comparison, const Subject& subject);
/// Have they what the comparisons of the clause compare?
bool fits(const Clause& clause, const Subject& subject);
/// Throws Mistake when they do not have the field.
void check_field(const Subject& subject, std::string_view field, Span where);
/// Lists the fields() that they have: "path, exe, ...".
std::string field_list(const Subject& subject);
/// Resolves the clause for the events of `subject`. Throws Mistake; for a comparison that came
/// through a macro its place is where the rule names the macro.
Resolved resolve(const SourceText& source, const Clause& clause, const Subject& subject);

/// Resolves clauses. A line for a group, and a macro, have the same ones for many calls: one that compares no
/// argument means the same wherever it fits, and is resolved once.
class Resolver {
  public:
    explicit Resolver(const SourceText& source) : source_(source) {}
    /// As rules::resolve().
    Resolved resolve(const Clause& clause, const Subject& subject);
    /// nullopt where the clause does not fit the events. Throws Mistake where it is wrong for another reason.
    std::optional<Resolved> resolve_fitting(const Clause& clause, const Subject& subject);

  private:
    struct Known {
        bool is_common = false; ///< compares no argument
        uint8_t needs = 0;      ///< 1 << Needs, then
        SharedTests tests;      ///< null until it is resolved, then
    };
    /// Clauses are the same when their comparisons are the same objects, which the keys keep.
    struct Hash {
        size_t operator()(const Clause& clause) const;
    };
    struct Same {
        bool operator()(const Clause& one, const Clause& other) const;
    };
    Known& known(const Clause& clause);
    bool meets(uint8_t needs, const Subject& subject);
    Resolved common(Known& known, const Clause& clause, const Subject& subject) const;

    const SourceText& source_;
    std::unordered_map<Clause, Known, Hash, Same> known_;
    std::unordered_map<const ebpf_loader::SyscallRow*, uint8_t> met_; ///< 1 << Needs
};

/// Returns why a comparison is probably not what its author meant; empty when nothing is wrong.
std::string oddity(const Comparison& comparison, const NumberTest& test);

} // namespace telemetry::rules
