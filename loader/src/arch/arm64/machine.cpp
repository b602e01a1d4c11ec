// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/arch/machine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

extern "C" const uint8_t ebt_exit_program_start[], ebt_exit_program_end[];
extern "C" const uint8_t ebt_reexec_program_start[], ebt_reexec_program_end[];

namespace ebpf_loader::machine {
namespace {

/// As the kernel saves them: what ptrace(2) shows, then what it keeps of a system call.
struct SavedRegisters {
    uint64_t x[31];
    uint64_t sp, pc, pstate;
    uint64_t orig_x0;
    int32_t number;
};

} // namespace

std::optional<SavedCall> saved_call(std::span<const std::byte> registers) {
    SavedRegisters saved{};
    constexpr size_t needed = offsetof(SavedRegisters, number) + sizeof(saved.number);
    if (registers.size() < needed)
        return std::nullopt;
    memcpy(&saved, registers.data(), needed);
    return SavedCall{static_cast<uint64_t>(static_cast<int64_t>(saved.number)),
                     {saved.orig_x0, saved.x[1], saved.x[2], saved.x[3], saved.x[4]}};
}

/// Above is what says whose half of the addresses it is in, and perhaps a tag.
unsigned user_address_bits() {
    return 55;
}

int64_t compat_getppid(const uint64_t*) {
    return -ENOSYS;
}

std::span<const uint8_t> exit_program() {
    return {ebt_exit_program_start, ebt_exit_program_end};
}

std::span<const uint8_t> reexec_program() {
    return {ebt_reexec_program_start, ebt_reexec_program_end};
}

bool step_over_compat_call(void*) {
    return false;
}

} // namespace ebpf_loader::machine
