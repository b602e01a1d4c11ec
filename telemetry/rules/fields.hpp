// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/syscalls.hpp>

namespace telemetry::rules {

enum class Type : uint8_t { number, truth, text };

enum class TextField : uint8_t { path, exe, comm };

/// What a rule can compare besides arguments.
struct Field {
    std::string_view name;
    Type type;
    uint8_t id;     ///< ebt_value, or TextField when type is text
    bool is_32_bit; ///< numbers only
    bool is_signed; ///< its order, whether or not the rule says "s"
    std::string_view meaning;
};
std::span<const Field> fields();
const Field* find_field(std::string_view name);

/// The first six are the kernel's, in the order of ebt_operator.
enum class Op : uint8_t { eq, ne, lt, gt, all_bits, any_bits, prefix, suffix, contains };

struct Operator {
    std::string_view sign;
    Op op;
    bool for_number;
    bool for_truth;
    bool for_text;
    std::string_view meaning;
};
std::span<const Operator> operators();
bool allows(const Operator& op, Type type);
/// "= != < >": what a type can be compared with.
std::string allowed_operators(Type type);

/// A process event as rules name it.
struct ProcessEvent {
    std::string_view name;
    ebt_process_row row;
    std::string_view meaning;
};
std::span<const ProcessEvent> process_events();

/// One kind of event that a rule is for: a row of the system call table, a process event,
/// or a number that the table does not know.
struct Subject {
    /// A row, and the first form of its call (see next_form()), whose arguments rules count.
    static Subject of(const ebpf_loader::SyscallRow& row);
    static Subject of(ebt_process_row process) { return {.process = process}; }
    static Subject of(ebt_abi abi, int number) { return {.abi = abi, .number = number}; }

    const ebpf_loader::SyscallRow* row = nullptr;
    const ebpf_loader::SyscallRow* call = nullptr;
    ebt_process_row process = EBT_ROW_NONE;
    ebt_abi abi = EBT_X86_64;
    int number = -1;

    std::string name() const;
    int arguments() const;
    bool names_paths() const; ///< can the field `path` match at all?
    bool returns() const;     ///< do ret and success mean anything?
    /// "a0 (dirfd), a1 (pathname)"; empty without arguments.
    std::string argument_list() const;
    /// Index in the call of the argument that `word` means, aN or a name; the names of
    /// fields() mean those.
    std::optional<uint8_t> argument(std::string_view word) const;
    /// Where the row has that argument of the call. nullopt: it passes it in halves.
    std::optional<uint8_t> place_in_row(uint8_t argument) const;
};

/// The set of constants that an argument takes its names from first; empty: none.
std::string_view constant_set(const ebpf_loader::Argument& argument);

/// a0 to a5, or the name of an argument of any call?
bool is_argument(std::string_view word);

/// "; did you mean ...?" with the candidate nearest to `word`, empty when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace telemetry::rules
