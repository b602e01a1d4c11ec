/* SPDX-License-Identifier: MIT */
/* What a tracer changes of a child that stands still at a system call. */
#pragma once
#include <elf.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifdef __x86_64__

static inline void set_number(pid_t child, long number) {
    ptrace(PTRACE_POKEUSER, child, (void*)offsetof(struct user_regs_struct, orig_rax), (void*)number);
}

static inline void set_result(pid_t child, long result) {
    ptrace(PTRACE_POKEUSER, child, (void*)offsetof(struct user_regs_struct, rax), (void*)result);
}

#else

static inline void set_number(pid_t child, long number) {
    int value = (int)number;
    struct iovec whole = {&value, sizeof(value)};
    ptrace(PTRACE_SETREGSET, child, (void*)NT_ARM_SYSTEM_CALL, &whole);
}

static inline void set_result(pid_t child, long result) {
    struct user_regs_struct all;
    struct iovec whole = {&all, sizeof(all)};
    ptrace(PTRACE_GETREGSET, child, (void*)NT_PRSTATUS, &whole);
    all.regs[0] = (unsigned long)result;
    ptrace(PTRACE_SETREGSET, child, (void*)NT_PRSTATUS, &whole);
}

#endif
