// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/arch/machine.hpp"

#include <cstring>
#include <sys/mman.h>
#include <sys/user.h>
#include <ucontext.h>

extern "C" const uint8_t ebt_exit_program_start[], ebt_exit_program_end[];
extern "C" const uint8_t ebt_reexec_program_start[], ebt_reexec_program_end[];

namespace ebpf_loader::machine {

std::optional<SavedCall> saved_call(std::span<const std::byte> registers) {
    // The kernel saves registers in the order in which ptrace(2) shows them.
    user_regs_struct saved{};
    constexpr size_t needed = offsetof(user_regs_struct, orig_rax) + sizeof(uint64_t);
    if (registers.size() < needed)
        return std::nullopt;
    memcpy(&saved, registers.data(), needed);
    return SavedCall{saved.orig_rax, {saved.rdi, saved.rsi, saved.rdx, saved.r10, saved.r8}};
}

/// With five-level page tables those who ask for it get memory above what four levels reach.
unsigned user_address_bits() {
    constexpr unsigned four_levels = 47, five_levels = 56;
    constexpr size_t length = 4096;
    void* const wanted = reinterpret_cast<void*>(uint64_t{1} << (four_levels + 1));
    void* const got = mmap(wanted, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
        return four_levels;
    munmap(got, length);
    return reinterpret_cast<uint64_t>(got) >> four_levels ? five_levels : four_levels;
}

int64_t compat_getppid(const uint64_t* args) {
    constexpr int64_t i386_getppid = 64;
    int64_t result;
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(i386_getppid), "b"(args[0]), "c"(args[1]), "d"(args[2]), "S"(args[3]), "D"(args[4])
                 : "r8", "r9", "r10", "r11", "memory");
    return result;
}

std::span<const uint8_t> exit_program() {
    return {ebt_exit_program_start, ebt_exit_program_end};
}

std::span<const uint8_t> reexec_program() {
    return {ebt_reexec_program_start, ebt_reexec_program_end};
}

bool step_over_compat_call(void* ucontext) {
    auto& counter = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs[REG_RIP];
    constexpr unsigned char int_0x80[] = {0xcd, 0x80};
    if (memcmp(reinterpret_cast<const void*>(counter), int_0x80, sizeof(int_0x80)) != 0)
        return false;
    counter += sizeof(int_0x80);
    return true;
}

} // namespace ebpf_loader::machine
