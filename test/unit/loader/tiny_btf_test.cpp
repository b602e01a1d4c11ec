// SPDX-License-Identifier: MIT
#include "loader/src/load/tiny_btf.hpp"

#include "loader/src/base/btf_ptr.hpp"

#include <ebpf_loader/error.hpp>

#include <gtest/gtest.h>
#include <map>

namespace ebpf_loader {
namespace {

/// Member offsets in bytes of a structure of a BTF file.
std::map<std::string, uint32_t> members_of(const char* path, const char* structure) {
    std::map<std::string, uint32_t> found;
    const BtfPtr types(btf__parse(path, nullptr));
    if (!types)
        throw std::runtime_error(std::string("no BTF in ") + path);
    const int id = btf__find_by_name_kind(types.get(), structure, BTF_KIND_STRUCT);
    if (id < 0)
        throw std::runtime_error(std::string("no structure ") + structure);
    const btf_type* type = btf__type_by_id(types.get(), id);
    for (uint32_t i = 0; i < btf_vlen(type); ++i) {
        const btf_member& member = btf_members(type)[i];
        const btf_type* member_type = btf__type_by_id(types.get(), member.type);
        EXPECT_TRUE(btf_is_int(member_type));
        EXPECT_EQ(member_type->size, 8u);
        EXPECT_STREQ(btf__name_by_offset(types.get(), member_type->name_off), "unsigned long");
        EXPECT_EQ(btf_member_bit_offset(type, i) % 8, 0u);
        EXPECT_EQ(btf_member_bitfield_size(type, i), 0u);
        EXPECT_LE(btf_member_bit_offset(type, i) / 8 + 8, type->size);
        found[btf__name_by_offset(types.get(), member.name_off)] = btf_member_bit_offset(type, i) / 8;
    }
    EXPECT_EQ(found.size(), btf_vlen(type)) << "a name twice";
    return found;
}

TEST(TinyBtf, HasEveryKnownOffset) {
    Offsets offsets;
    std::map<std::string, uint32_t> expected;
    for (size_t row = 0; row < offset_rows().size(); ++row) {
        const uint32_t value = static_cast<uint32_t>(9000 - 7 * row); // unaligned and descending: any will do
        offsets.set(row, value);
        expected[std::string(offset_rows()[row].structure) + "__" + std::string(offset_rows()[row].member)] =
            value;
    }
    const TinyBtf tiny(offsets, {});
    EXPECT_EQ(members_of(tiny.path(), "ebt_offsets"), expected);
    EXPECT_TRUE(members_of(tiny.path(), "ebt_features").empty());
}

TEST(TinyBtf, LeavesOutWhatIsAbsent) {
    Offsets offsets;
    offsets.set(*Offsets::find("task_struct.pid"), 0);
    offsets.set(*Offsets::find("path.mnt"), 0);
    offsets.set(*Offsets::find("path.dentry"), 8);
    const TinyBtf tiny(offsets, {});
    EXPECT_EQ(
        members_of(tiny.path(), "ebt_offsets"),
        (std::map<std::string, uint32_t>{{"task_struct__pid", 0}, {"path__mnt", 0}, {"path__dentry", 8}}));
}

TEST(TinyBtf, FeaturesAreOffsetsToo) {
    Features features;
    features[Feature::thread_regs] = 16216;
    features[Feature::ring_buffer] = 0;
    const TinyBtf tiny(Offsets(), features.values());
    EXPECT_EQ(members_of(tiny.path(), "ebt_features"),
              (std::map<std::string, uint32_t>{{"thread_regs", 16216}, {"ring_buffer", 0}}));
    EXPECT_TRUE(members_of(tiny.path(), "ebt_offsets").empty());
}

TEST(TinyBtf, TwoLiveSideBySide) {
    Offsets a, b;
    a.set(0, 1);
    b.set(0, 2);
    const TinyBtf first(a, {}), second(b, {});
    EXPECT_EQ(members_of(first.path(), "ebt_offsets").begin()->second, 1u);
    EXPECT_EQ(members_of(second.path(), "ebt_offsets").begin()->second, 2u);
}

TEST(TinyBtf, RefusesAnOffsetThatNoMemberCanHave) {
    Offsets offsets;
    offsets.set(0, UINT32_MAX);
    EXPECT_THROW(TinyBtf(offsets, {}), Error);
}

} // namespace
} // namespace ebpf_loader
