// SPDX-License-Identifier: MIT
#include "telemetry/event/structure.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <sys/stat.h>

namespace telemetry {

namespace {

using Form = StructureMember::Form;

// include/uapi/linux/openat2.h
constexpr StructureMember open_how[] = {
    {"flags", 0, 8, Form::flags, "open"},
    {"mode", 8, 8, Form::octal},
    {"resolve", 16, 8, Form::flags, "resolve"},
};

// include/uapi/linux/sched.h; where the caller wants identifiers to be stored is left out
constexpr StructureMember clone_args[] = {
    {"flags", 0, 8, Form::flags, "clone"}, {"exit_signal", 32, 8, Form::number},
    {"stack", 40, 8, Form::address},       {"stack_size", 48, 8, Form::number},
    {"set_tid_size", 72, 8, Form::number}, {"cgroup", 80, 8, Form::number},
};

// include/uapi/linux/xattr.h
constexpr StructureMember xattr_args[] = {
    {"value", 0, 8, Form::address},
    {"size", 8, 4, Form::number},
    {"flags", 12, 4, Form::flags, "xattr"},
};

// struct vfs_cap_data and vfs_ns_cap_data of include/uapi/linux/capability.h
constexpr StructureMember vfs_cap_data[] = {
    {"revision", 0, 4, Form::flags, "file_capability"},
    {"permitted", 4, 4, Form::capabilities},
    {"inheritable", 8, 4, Form::capabilities},
    {"rootid", 20, 4, Form::number},
};

/// What all calls that set times take: two of `size` bytes each.
template <uint8_t size, Form form>
constexpr StructureMember file_times[2] = {{"access", 0, size, form}, {"modification", size, size, form}};

constexpr StructureLayout layouts[] = {
    {"open_how", open_how},
    {"clone_args", clone_args},
    {"xattr_args", xattr_args},
    {"vfs_cap_data", vfs_cap_data},
    {"timespecs", file_times<16, Form::nanoseconds>},
    {"timespecs32", file_times<8, Form::nanoseconds>},
    {"timevals", file_times<16, Form::microseconds>},
    {"timevals32", file_times<8, Form::microseconds>},
    {"utimbuf", file_times<8, Form::seconds>},
    {"utimbuf32", file_times<4, Form::seconds>},
};

/// A number of 4 or 8 bytes in the order of this machine; 0 where there are fewer.
uint64_t number_at(std::string_view bytes, size_t offset, size_t size) {
    uint32_t half = 0;
    uint64_t whole = 0;
    if (offset > bytes.size() || bytes.size() - offset < size)
        return 0;
    if (size == sizeof(half)) {
        std::memcpy(&half, bytes.data() + offset, sizeof(half));
        return half;
    }
    std::memcpy(&whole, bytes.data() + offset, sizeof(whole));
    return whole;
}

int64_t with_sign(uint64_t value, size_t size) {
    return size == sizeof(uint32_t) ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
}

} // namespace

const StructureLayout* find_structure(std::string_view name) {
    const auto* found = std::ranges::find(layouts, name, &StructureLayout::name);
    return found == std::end(layouts) ? nullptr : found;
}

uint64_t value_of(const StructureMember& member, std::string_view bytes) {
    const uint64_t low = number_at(bytes, member.offset, member.size);
    if (member.form != Form::capabilities)
        return low;
    return low | number_at(bytes, member.offset + StructureMember::capability_stride, member.size) << 32;
}

TimeOfMember time_of(const StructureMember& member, std::string_view bytes) {
    constexpr uint64_t ns_per_us = 1000;
    if (member.form == Form::seconds)
        return {.seconds = with_sign(number_at(bytes, member.offset, member.size), member.size)};
    const size_t half = member.size / 2;
    TimeOfMember time{.seconds = with_sign(number_at(bytes, member.offset, half), half),
                      .nanoseconds = number_at(bytes, member.offset + half, half)};
    if (member.form == Form::microseconds)
        time.nanoseconds *= ns_per_us;
    else if (time.nanoseconds == UTIME_NOW)
        time.what = TimeOfMember::What::now;
    else if (time.nanoseconds == UTIME_OMIT)
        time.what = TimeOfMember::What::omit;
    return time;
}

std::optional<uint64_t> member_of(const Event& event, std::string_view name) {
    if (!event.structure_layout || !event.structure.known())
        return std::nullopt;
    for (const StructureMember& member : event.structure_layout->members)
        if (member.name == name && has_member(event.structure.bytes, member))
            return value_of(member, event.structure.bytes);
    return std::nullopt;
}

} // namespace telemetry
