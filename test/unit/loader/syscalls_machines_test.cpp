// SPDX-License-Identifier: MIT
// The table of system calls for the ABIs of other machines than x86-64.
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/selection.hpp>
#include <ebpf_loader/syscalls.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "test/unit/support/syscall_row.hpp"

namespace {

using namespace ebpf_loader;

TEST(SyscallsMachines, ArmBeginsHalvesAtAnEvenArgument) {
    static constexpr struct {
        std::string_view name;
        int number;
        size_t low;
    } calls[] = {{"pread64", 180, 4},   {"pwrite64", 181, 4},         {"truncate64", 193, 2},
                 {"readahead", 225, 2}, {"arm_fadvise64_64", 270, 2}, {"sync_file_range2", 341, 2},
                 {"fallocate", 352, 2}};
    for (const auto& [name, number, low] : calls) {
        const SyscallRow* row = find_syscall(EBT_ARM, number);
        ASSERT_NE(row, nullptr) << name;
        EXPECT_EQ(row->name, name);
        EXPECT_TRUE(row->argument[low].name.ends_with("_low")) << name;
        EXPECT_TRUE(row->argument[low + 1].name.ends_with("_high")) << name;
    }
}

/// Both have the thread's storage before the child's id, as i386 has.
TEST(SyscallsMachines, CloneOfArmIsLikeThatOfI386) {
    const SyscallRow* row = find_syscall(EBT_I386, 120);
    EXPECT_EQ(find_syscall(EBT_AARCH64, 220), row);
    EXPECT_EQ(find_syscall(EBT_ARM, 120), row);
    EXPECT_EQ(row->argument[3].name, "tls");
}

TEST(SyscallsMachines, ProgramsOfThisMachineCannotMakeEveryCall) {
#ifdef __x86_64__
    EXPECT_TRUE(numbers_of(call("send")).empty()) << "arm alone has it: with i386 it is part of socketcall";
    EXPECT_EQ(machine_abis_of("send"), 0);
    EXPECT_EQ(machine_abis_of("clone"), 1 << EBT_X86_64 | 1 << EBT_I386 | 1 << EBT_X32);
#else
    EXPECT_TRUE(numbers_of(call("socketcall")).empty()) << "i386 alone has it";
    EXPECT_EQ(machine_abis_of("socketcall"), 0);
    EXPECT_EQ(machine_abis_of("send"), 1 << EBT_ARM);
    EXPECT_EQ(machine_abis_of("clone"), 1 << EBT_AARCH64 | 1 << EBT_ARM);
    EXPECT_EQ(find_syscall(EBT_I386, 102), &call("socketcall"));
    EXPECT_EQ(find_syscall(EBT_X86_64, 2), &call("open"));
#endif
    EXPECT_EQ(machine_abis_of("mmap2"), 1 << EBT_COMPAT_ABI);
    EXPECT_EQ(find_syscall(EBT_ARM, 289), &call("send"));
    EXPECT_EQ(find_syscall(EBT_AARCH64, 2), &call("io_submit"));
    EXPECT_EQ(find_syscall(static_cast<ebt_abi>(3), 0), nullptr) << "no ABI";
}

TEST(SyscallsMachines, EachAbiHasAName) {
    EXPECT_EQ(abi_name(EBT_X86_64), "x86_64");
    EXPECT_EQ(abi_name(EBT_X32), "x32");
    EXPECT_EQ(abi_name(EBT_AARCH64), "aarch64");
    EXPECT_EQ(abi_name(EBT_ARM), "arm");
    EXPECT_EQ(abi_name(static_cast<ebt_abi>(3)), "");
    EXPECT_EQ(abi_name(EBT_ABIS), "");
}

/// Its numbers are those of other calls on this machine.
TEST(SyscallsMachines, NothingIsSelectedOfACallThatNoProgramCanMake) {
#ifdef __x86_64__
    const auto* const name = "send"; // of arm
    constexpr ebt_abi other = EBT_AARCH64;
#else
    const auto* const name = "socketcall"; // of i386
    constexpr ebt_abi other = EBT_X86_64;
#endif
    Selection selection;
    selection.select(call(name), {}, true);
    EXPECT_TRUE(selection.empty());
    EXPECT_TRUE(selection.numbers().empty());
    EXPECT_THROW(selection.select_number(other, 1000, {}, true), Error);
    EXPECT_THROW(selection.select_number(static_cast<ebt_abi>(3), 1000, {}, true), Error);
    EXPECT_NO_THROW(selection.select_number(EBT_NATIVE_ABI, 1000, {}, true));
}

} // namespace
