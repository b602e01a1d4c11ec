// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/rules/fields.hpp"
#include "telemetry/rules/source.hpp"
#include "telemetry/rules/terms/groups.hpp"

namespace telemetry::rules {

/// Bounds that no real file reaches; they keep $macro && $macro from using up the memory.
inline constexpr size_t MAX_CLAUSES = 1024;     ///< of a statement, macros expanded
inline constexpr size_t MAX_COMPARISONS = 64;   ///< of a clause
inline constexpr size_t MAX_EXPANDED = 1 << 18; ///< comparisons of a file, macros expanded
inline constexpr uint16_t MAX_INDEX = 1023;     ///< of argv[n]
inline constexpr size_t MAX_KEY = 256;          ///< bytes of a key, as in the kernel's audit rules

/// A number as written: its value may depend on the argument it is compared with.
struct NumberTerm {
    Span where;
    std::string_view symbol; ///< empty: `bits` is the number
    uint64_t bits = 0;
    bool negative = false;
};

/// FIELD OP VALUE, not yet resolved for a system call.
struct Comparison {
    Span field_at;
    std::string_view field;
    Type type = Type::number;
    Op op = Op::eq; ///< never `in`: that is a clause for each value
    Span value_at;
    bool is_signed = false;         ///< "s" before the value
    std::vector<NumberTerm> number; ///< joined by OR; when type is number
    bool truth = false;             ///< when type is truth
    std::string text;               ///< when type is text
    uint16_t index = 0;             ///< of argv[n]
    std::string_view other;         ///< the field that it is compared with instead of a number
    bool is_32_bit = false;         ///< of a wider number the lower half is compared
    bool one_differs = false;       ///< see NumberTest
};

/// A use of a comparison. When it came through a macro, `macro_at` is where the macro is named.
struct Term {
    std::shared_ptr<const Comparison> comparison;
    std::optional<Span> macro_at;
};
using Clause = std::vector<Term>;

/// A line that selects or excludes events.
struct Statement {
    Span head; ///< the name or number
    bool exclude = false;
    bool every_call = false;        ///< "all", or a group
    const Group* group = nullptr;   ///< "@write": of every call, only those
    std::optional<Subject> subject; ///< otherwise
    std::vector<Clause> clauses;    ///< joined by OR; without any, every event
    bool require_standard = false;  ///< P
    bool require_specific = false;  ///< V
    std::string key;                ///< empty: it has none
    bool in_order = false;          ///< the first statement that an event fits decides, with its key
};

} // namespace telemetry::rules
