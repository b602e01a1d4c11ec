// SPDX-License-Identifier: LGPL-2.1
// What depends on the processor. Each architecture has a folder beside this file, with a machine.hpp for
// its constants, a machine.cpp and a programs.S for what is declared here, and a raw_syscall.hpp.
#pragma once
#if defined(__x86_64__)
#include "loader/src/arch/x86/machine.hpp"
#elif defined(__aarch64__)
#include "loader/src/arch/arm64/machine.hpp"
#else
#error "the loader knows no such architecture: add a folder to loader/src/arch"
#endif

#include "loader/src/arch/programs.h"

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/futex.h>
#include <optional>
#include <sched.h>
#include <span>

namespace ebpf_loader::machine {

/// A system call as the kernel saved it on entry.
struct SavedCall {
    uint64_t number = 0;
    uint64_t args[5] = {};
};
/// From bytes of a kernel stack, on which the saved registers of a task begin; nullopt where they
/// cannot be complete.
std::optional<SavedCall> saved_call(std::span<const std::byte> registers);

/// How many bits an address of user memory may have, on this machine.
unsigned user_address_bits();

/// getppid(2) through the compat ABI, with five arguments, which the kernel ignores. A fault where the kernel
/// takes no such calls; -ENOSYS where 64-bit programs have no way to make them.
int64_t compat_getppid(const uint64_t* args);

/// Code of a program that ends by exit(2) with EBT_EXECUTED_STATUS.
std::span<const uint8_t> exit_program();
/// Code of a program that writes a byte to EBT_NEWS_FD, waits for one at EBT_ORDERS_FD and then executes
/// EBT_PROGRAM_FD, itself; that ends when there is none to read.
std::span<const uint8_t> reexec_program();

/// What a thread needs once it is alone in its process: no stack, no library.
struct LastThread {
    uint64_t args[6];         ///< of the two calls of dup3
    uint32_t first_alive = 1; ///< the kernel clears it, and wakes who waits for it
    char* stack_end = stack + sizeof(stack);
    alignas(16) char stack[32 * 1024]; ///< for a signal
};
static_assert(EBT_THREAD_FLAGS ==
              (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM));
static_assert(EBT_FUTEX_WAIT == FUTEX_WAIT && EBT_AT_EMPTY_PATH == AT_EMPTY_PATH);
static_assert(offsetof(LastThread, args) == EBT_LAST_THREAD_ARGS);
static_assert(offsetof(LastThread, first_alive) == EBT_LAST_THREAD_FIRST_ALIVE);
static_assert(offsetof(LastThread, stack_end) == EBT_LAST_THREAD_STACK_END);

/// Starts a second thread and ends the first one by exit(2). Once the second is alone, it calls dup3
/// through the native ABI and through the compat one, and ends the process by exit_group(2) with
/// EBT_BOTH_STATUS, or with EBT_NATIVE_ONLY_STATUS where the compat call was stepped over; args[4] is
/// also an unused argument of that. `thread` has to be the address that set_tid_address(2) was given.
extern "C" [[noreturn]] void ebt_outlive_first_thread(LastThread* thread);

/// In a handler of SIGSEGV: if the fault was the instruction of a compat call, goes on behind it.
bool step_over_compat_call(void* ucontext);

} // namespace ebpf_loader::machine
