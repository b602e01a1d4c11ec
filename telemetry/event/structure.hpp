// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// A member of a structure that an argument points to: see ArgKind::structure in kern/abi/syscalls.def.
struct StructureMember {
    enum class Form : uint8_t {
        number,
        octal,
        flags,        ///< `names` is their set of constants
        address,      ///< of the caller's memory
        nanoseconds,  ///< a second, then so many nanoseconds, each half of `size`; utimensat's now and omit
        microseconds, ///< a second, then so many microseconds
        seconds,      ///< signed
        capabilities, ///< a set: 32 bits here, the upper ones `capability_stride` bytes further, if there are
    };
    static constexpr size_t capability_stride = 8;

    std::string_view name;
    uint8_t offset; ///< bytes
    uint8_t size;   ///< bytes
    Form form;
    std::string_view names = {};
};

struct StructureLayout {
    std::string_view name; ///< as kern/abi/syscalls.def has it
    std::span<const StructureMember> members;
};

/// Null where there is no such structure.
const StructureLayout* find_structure(std::string_view name);

/// A point in time that a structure has.
struct TimeOfMember {
    enum class What : uint8_t { time, now, omit };
    What what = What::time;
    int64_t seconds = 0;      ///< since the epoch; any number, since the caller wrote it
    uint64_t nanoseconds = 0; ///< any number, too
};

/// Was so much of the structure captured? Its length is what the caller said.
constexpr bool has_member(std::string_view bytes, const StructureMember& member) {
    return bytes.size() >= size_t{member.offset} + member.size;
}
/// What stands there, of all forms but times; 0 of a member that it does not have.
uint64_t value_of(const StructureMember& member, std::string_view bytes);
/// The same of times.
TimeOfMember time_of(const StructureMember& member, std::string_view bytes);
constexpr bool is_time(StructureMember::Form form) {
    return form == StructureMember::Form::nanoseconds || form == StructureMember::Form::microseconds ||
           form == StructureMember::Form::seconds;
}

/// A member of the event's structure, by name; none where it has none, or it could not be read.
std::optional<uint64_t> member_of(const Event& event, std::string_view name);

} // namespace telemetry
