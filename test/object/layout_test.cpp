// SPDX-License-Identifier: MIT
// What the two sides share lies the same for both: the BTF of eBPF objects against C++.
#include "test/object/object_file.hpp"

#include <cstddef>
#include <sstream>

#include <ebpf_loader/abi/plan.h>
#include <gtest/gtest.h>

namespace object_test {

namespace {

struct Member {
    const char* name;
    size_t offset, size;
};

struct Structure {
    const char* name;
    size_t size;
    std::vector<Member> members;
};

#define MEMBER(type, name)                                                                                   \
    { #name, offsetof(type, name), sizeof(type::name) }

std::vector<Structure> structures() {
    return {
        {"ebt_header",
         sizeof(ebt_header),
         {MEMBER(ebt_header, size),       MEMBER(ebt_header, version),   MEMBER(ebt_header, kind),
          MEMBER(ebt_header, abi),        MEMBER(ebt_header, flags),     MEMBER(ebt_header, sequence),
          MEMBER(ebt_header, cpu),        MEMBER(ebt_header, slot),      MEMBER(ebt_header, missing),
          MEMBER(ebt_header, shared),     MEMBER(ebt_header, execution), MEMBER(ebt_header, time),
          MEMBER(ebt_header, start_time), MEMBER(ebt_header, tgid),      MEMBER(ebt_header, tid),
          MEMBER(ebt_header, ppid),       MEMBER(ebt_header, exec_id),   MEMBER(ebt_header, auid),
          MEMBER(ebt_header, ses),        MEMBER(ebt_header, uid),       MEMBER(ebt_header, gid),
          MEMBER(ebt_header, suid),       MEMBER(ebt_header, sgid),      MEMBER(ebt_header, euid),
          MEMBER(ebt_header, egid),       MEMBER(ebt_header, fsuid),     MEMBER(ebt_header, fsgid),
          MEMBER(ebt_header, comm),       MEMBER(ebt_header, nr),        MEMBER(ebt_header, row),
          MEMBER(ebt_header, fields),     MEMBER(ebt_header, ret),       MEMBER(ebt_header, args)}},
        {"ebt_namespaces",
         sizeof(ebt_namespaces),
         {MEMBER(ebt_namespaces, mnt), MEMBER(ebt_namespaces, pid), MEMBER(ebt_namespaces, user),
          MEMBER(ebt_namespaces, reserved)}},
        {"ebt_field",
         sizeof(ebt_field),
         {MEMBER(ebt_field, kind), MEMBER(ebt_field, status), MEMBER(ebt_field, arg),
          MEMBER(ebt_field, flags), MEMBER(ebt_field, length), MEMBER(ebt_field, original),
          MEMBER(ebt_field, count)}},
        {"ebt_inode",
         sizeof(ebt_inode),
         {MEMBER(ebt_inode, ino), MEMBER(ebt_inode, magic), MEMBER(ebt_inode, mode), MEMBER(ebt_inode, uid),
          MEMBER(ebt_inode, gid), MEMBER(ebt_inode, device), MEMBER(ebt_inode, reserved)}},
        {"ebt_socket",
         sizeof(ebt_socket),
         {MEMBER(ebt_socket, family), MEMBER(ebt_socket, type), MEMBER(ebt_socket, protocol),
          MEMBER(ebt_socket, local_port), MEMBER(ebt_socket, remote_port), MEMBER(ebt_socket, local),
          MEMBER(ebt_socket, remote)}},
        {"ebt_child",
         sizeof(ebt_child),
         {MEMBER(ebt_child, start_time), MEMBER(ebt_child, tgid), MEMBER(ebt_child, tid)}},
        {"ebt_numbers", sizeof(ebt_numbers), {MEMBER(ebt_numbers, row), MEMBER(ebt_numbers, flags)}},
        {"ebt_step",
         sizeof(ebt_step),
         {MEMBER(ebt_step, capture), MEMBER(ebt_step, arg), MEMBER(ebt_step, link), MEMBER(ebt_step, when)}},
        {"ebt_predicate",
         sizeof(ebt_predicate),
         {MEMBER(ebt_predicate, value), MEMBER(ebt_predicate, operator_), MEMBER(ebt_predicate, flags),
          MEMBER(ebt_predicate, shift), MEMBER(ebt_predicate, screens), MEMBER(ebt_predicate, reserved),
          MEMBER(ebt_predicate, operand)}},
        {"ebt_screen", sizeof(ebt_screen), {MEMBER(ebt_screen, cell)}},
        {"ebt_plan",
         sizeof(ebt_plan),
         {MEMBER(ebt_plan, flags), MEMBER(ebt_plan, predicates), MEMBER(ebt_plan, steps),
          MEMBER(ebt_plan, move), MEMBER(ebt_plan, move_direction), MEMBER(ebt_plan, move_flags),
          MEMBER(ebt_plan, witness), MEMBER(ebt_plan, screens), MEMBER(ebt_plan, reserved),
          MEMBER(ebt_plan, step), MEMBER(ebt_plan, predicate)}},
        {"ebt_settings",
         sizeof(ebt_settings),
         {MEMBER(ebt_settings, self_tgid), MEMBER(ebt_settings, wakeup_bytes),
          MEMBER(ebt_settings, gate_closed_at), MEMBER(ebt_settings, ordinary_bytes),
          MEMBER(ebt_settings, query_bytes), MEMBER(ebt_settings, events_per_process),
          MEMBER(ebt_settings, shed), MEMBER(ebt_settings, watched_since)}},
        {"ebt_transfer_gate", sizeof(ebt_transfer_gate), {MEMBER(ebt_transfer_gate, connects)}},
        {"ebt_sharing", sizeof(ebt_sharing), {MEMBER(ebt_sharing, start_time), MEMBER(ebt_sharing, what)}},
        {"ebt_endpoint", sizeof(ebt_endpoint), {MEMBER(ebt_endpoint, address), MEMBER(ebt_endpoint, port)}},
        {"ebt_transfer",
         sizeof(ebt_transfer),
         {MEMBER(ebt_transfer, socket), MEMBER(ebt_transfer, total), MEMBER(ebt_transfer, netns),
          MEMBER(ebt_transfer, direction)}},
        {"ebt_registers",
         sizeof(ebt_registers),
         {MEMBER(ebt_registers, r15),     MEMBER(ebt_registers, r14), MEMBER(ebt_registers, r13),
          MEMBER(ebt_registers, r12),     MEMBER(ebt_registers, bp),  MEMBER(ebt_registers, bx),
          MEMBER(ebt_registers, r11),     MEMBER(ebt_registers, r10), MEMBER(ebt_registers, r9),
          MEMBER(ebt_registers, r8),      MEMBER(ebt_registers, ax),  MEMBER(ebt_registers, cx),
          MEMBER(ebt_registers, dx),      MEMBER(ebt_registers, si),  MEMBER(ebt_registers, di),
          MEMBER(ebt_registers, orig_ax), MEMBER(ebt_registers, ip),  MEMBER(ebt_registers, cs),
          MEMBER(ebt_registers, flags),   MEMBER(ebt_registers, sp),  MEMBER(ebt_registers, ss)}},
        {"ebt_slot",
         sizeof(ebt_slot),
         {MEMBER(ebt_slot, busy), MEMBER(ebt_slot, owner), MEMBER(ebt_slot, sequence), MEMBER(ebt_slot, seen),
          MEMBER(ebt_slot, filtered), MEMBER(ebt_slot, emitted), MEMBER(ebt_slot, missed),
          MEMBER(ebt_slot, lost), MEMBER(ebt_slot, since_wakeup), MEMBER(ebt_slot, last_lost),
          MEMBER(ebt_slot, since_query), MEMBER(ebt_slot, tight), MEMBER(ebt_slot, spilled)}},
    };
}

/// Returns false when the BTF does not know the struct.
bool compare(const btf* types, const Structure& structure) {
    const int id = btf__find_by_name_kind(types, structure.name, BTF_KIND_STRUCT);
    if (id < 0)
        return false;
    const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(id));
    EXPECT_EQ(type->size, structure.size) << structure.name;
    EXPECT_EQ(btf_vlen(type), structure.members.size())
        << structure.name << ": other members than in this test";
    for (uint32_t i = 0; i < std::min<size_t>(btf_vlen(type), structure.members.size()); i++) {
        const btf_member& member = btf_members(type)[i];
        const Member& expected = structure.members[i];
        const std::string name = std::string(structure.name) + "." + expected.name;
        EXPECT_STREQ(btf__name_by_offset(types, member.name_off), expected.name) << name;
        EXPECT_EQ(btf_member_bit_offset(type, i), expected.offset * 8) << name;
        EXPECT_EQ(btf__resolve_size(types, member.type), static_cast<int64_t>(expected.size)) << name;
    }
    return true;
}

TEST(Layout, EveryStructForTheEbpfTarget) {
    const std::unique_ptr<btf, void (*)(btf*)> types(btf__parse(LAYOUTS, nullptr), btf__free);
    ASSERT_TRUE(types);
    for (const Structure& structure : structures())
        EXPECT_TRUE(compare(types.get(), structure)) << structure.name << " is not in the BTF";
}

/// The objects describe those that stand in their maps.
TEST(Layout, StructsOfTheObjects) {
    std::istringstream paths(OBJECTS);
    size_t objects = 0;
    for (std::string path; std::getline(paths, path, ':'); objects++) {
        SCOPED_TRACE(path);
        const ObjectFile object(path);
        std::set<std::string> found;
        for (const Structure& structure : structures())
            if (compare(object.types(), structure))
                found.insert(structure.name);
        for (const char* needed : {"ebt_header", "ebt_numbers", "ebt_step", "ebt_predicate", "ebt_plan",
                                   "ebt_settings", "ebt_slot"})
            EXPECT_TRUE(found.contains(needed)) << needed;
    }
    EXPECT_EQ(objects, 5u);
}

} // namespace

} // namespace object_test
