// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/tiny_btf.hpp"

#include <ebpf_loader/error.hpp>

#include "loader/src/base/btf_ptr.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/btf.h>
#include <sys/mman.h>

namespace ebpf_loader {
namespace {

constexpr std::string_view feature_names[] = {
#define FEATURE(name, comment) #name,
#include <ebpf_loader/abi/features.def>
#undef FEATURE
};

[[noreturn]] void fail(const std::string& what, int error) {
    throw Error(ErrorCode::resources, "Cannot " + what + ": " + std::strerror(error) + ".");
}

struct Member {
    std::string name;
    uint32_t offset; ///< bytes
};

/// A member's place is kept in bits, in 32 of them.
constexpr uint32_t largest_offset = UINT32_MAX / 8 - 8;

void check_offset(const Member& member) {
    if (member.offset > largest_offset)
        throw Error(ErrorCode::offsets, "The offset " + std::to_string(member.offset) + " of " + member.name +
                                            " is beyond the end of any kernel structure.");
}

void add_struct(btf* types, const char* name, int member_type, std::vector<Member> members) {
    std::ranges::stable_sort(members, {}, &Member::offset); // the order a compiler gives
    std::ranges::for_each(members, check_offset);
    const uint32_t size = members.empty() ? 8 : members.back().offset + 8;
    if (int id = btf__add_struct(types, name, size); id < 0)
        fail("describe the kernel's structures", -id);
    for (const Member& member : members)
        if (int error = btf__add_field(types, member.name.c_str(), member_type, member.offset * 8, 0))
            fail("describe the kernel's structures", -error);
}

std::vector<Member> offset_members(const Offsets& offsets) {
    std::vector<Member> members;
    for (size_t row = 0; row < offset_rows().size(); ++row)
        if (std::optional<uint32_t> value = offsets.get(row)) {
            const OffsetRow& names = offset_rows()[row];
            members.push_back({std::string(names.structure) + "__" + std::string(names.member), *value});
        }
    return members;
}

std::vector<Member> feature_members(std::span<const std::optional<uint32_t>> features) {
    std::vector<Member> members;
    for (size_t i = 0; i < std::min(features.size(), std::size(feature_names)); ++i)
        if (features[i])
            members.push_back({std::string(feature_names[i]), *features[i]});
    return members;
}

BtfPtr describe(const Offsets& offsets, std::span<const std::optional<uint32_t>> features) {
    BtfPtr types(btf__new_empty());
    if (!types)
        fail("describe the kernel's structures", errno);
    const int member_type = btf__add_int(types.get(), "unsigned long", 8, 0);
    if (member_type < 0)
        fail("describe the kernel's structures", -member_type);
    add_struct(types.get(), "ebt_offsets", member_type, offset_members(offsets));
    add_struct(types.get(), "ebt_features", member_type, feature_members(features));
    return types;
}

void write_all(int fd, const char* bytes, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            fail("write the description of the kernel's structures", errno);
        bytes += written;
        size -= static_cast<size_t>(written);
    }
}

} // namespace

TinyBtf::TinyBtf(const Offsets& offsets, std::span<const std::optional<uint32_t>> features)
    : fd_(memfd_create("ebpf_telemetry_btf", MFD_CLOEXEC)) {
    if (!fd_)
        fail("create a memory file", errno);
    const BtfPtr types = describe(offsets, features);
    uint32_t size = 0;
    const void* bytes = btf__raw_data(types.get(), &size);
    if (!bytes)
        fail("describe the kernel's structures", errno);
    write_all(fd_.get(), static_cast<const char*>(bytes), size);
    path_ = "/proc/self/fd/" + std::to_string(fd_.get());
}

} // namespace ebpf_loader
