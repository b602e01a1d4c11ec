// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/syscalls.hpp>

#include "telemetry/event/event.hpp"

namespace telemetry::rules {

enum class Type : uint8_t { number, truth, text };

/// Those besides these are program_field()s. `argument` is a string of the call's.
enum class TextField : uint8_t { path, exe, comm, argument };

/// What an event must have for a field to mean anything.
enum class Needs : uint8_t { nothing, path, address, result };

/// Whose ids a number is: such numbers have names, and can be compared with each other.
enum class Ids : uint8_t { none, users, groups };

/// The result of a comparison, which is unknown when what it depends on is.
enum class Truth : uint8_t { no, unknown, yes };

/// The numbers that an event has for a field that the program alone compares.
struct Values {
    std::array<uint64_t, 12> value{};
    uint8_t count = 0;
    bool hides = false; ///< there may be one that is not known

    void add(uint64_t one) { value[count++] = one; }
};

struct TextTest;

/// What a rule can compare besides arguments. A new one is a row in fields.cpp and, of a number that the
/// kernel compares, its ebt_value in kern/abi/plan.h and kern/lib/header.h; of other numbers and texts a
/// function in terms/.
struct Field {
    std::string_view name;
    Type type;
    uint8_t id = 0;            ///< ebt_value, or TextField when type is text; see value_id()
    bool is_32_bit = false;    ///< numbers only
    bool is_signed = false;    ///< its order, whether or not the rule says "s"
    bool may_be_unset = false; ///< 4294967295 has the name `unset`
    Ids ids = Ids::none;
    Needs needs = Needs::nothing;
    std::string_view constants = {}; ///< the set its symbols are looked up in; empty: it has none
    std::string_view meaning = {};
    uint64_t (*read)(const Event&) = nullptr; ///< of a number that the kernel compares
    /// Of what the program alone compares. `!=` is evaluated as = here and negated afterwards.
    Values (*values)(const Event&) = nullptr;
    Truth (*compare)(const TextTest&, const Event&) = nullptr;
    bool yields = false;           ///< in a call that has an argument of this name that one is meant
    bool needs_lineage = false;    ///< of the process
    std::string_view choices = {}; ///< of a text: those it can be, with blanks between; empty: any
    /// Of a text with a form of its own, for = and != alone: what TextTest has in its place; nullopt: it is
    /// none.
    std::optional<std::string> (*encode)(std::string_view) = nullptr;
    std::string_view form = {}; ///< what is expected then
};
/// Values from here on are of fields(), by index: the kernel does not have them.
inline constexpr uint8_t FIRST_PROGRAM_VALUE = 64;
/// What tests have in place of the field.
uint8_t value_id(const Field& field);
/// nullptr for a value that the kernel has, or that does not exist.
const Field* program_field(uint8_t value);
std::span<const Field> fields();
const Field* find_field(std::string_view name);
/// By ebt_value, as the kernel sees it; 0 for a value that does not exist.
uint64_t value_of(uint8_t value, const Event& event);

/// The first six are the kernel's, in the order of ebt_operator; le, ge and in are made of these.
enum class Op : uint8_t { eq, ne, lt, gt, all_bits, any_bits, le, ge, in, prefix, suffix, contains, no_bits };

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
    ebt_abi abi = EBT_NATIVE_ABI;
    int number = -1;

    std::string name() const;
    int arguments() const;
    bool names_paths() const; ///< can the field `path` match at all?
    bool names_addresses() const;
    bool returns() const; ///< do ret and success mean anything?
    /// "a0 (dirfd), a1 (pathname)"; empty without arguments.
    std::string argument_list() const;
    /// Index in the call of the argument that `word` means, aN or a name; the names of
    /// fields() mean those.
    std::optional<uint8_t> argument(std::string_view word) const;
    /// The field that `word` means here; nullptr: an argument, or nothing.
    const Field* field(std::string_view word) const;
    /// Is that argument a string?
    bool is_string(uint8_t argument) const;
    /// Where the row has that argument of the call. nullopt: it passes it in halves.
    std::optional<uint8_t> index_in_row(uint8_t argument) const;
};

/// a0 to a5, or the name of an argument of any call?
bool is_argument(std::string_view word);
/// Is an argument of that name a string wherever a rule can compare it? A pointer is not compared.
bool is_string_argument(std::string_view word);

} // namespace telemetry::rules
