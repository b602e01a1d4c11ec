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

static inline unsigned long stack_of(pid_t child) {
    return (unsigned long)ptrace(PTRACE_PEEKUSER, child, (void*)offsetof(struct user_regs_struct, rsp), NULL);
}

#else

static inline void set_number(pid_t child, long number) {
    int value = (int)number;
    struct iovec whole = {&value, sizeof(value)};
    ptrace(PTRACE_SETREGSET, child, (void*)NT_ARM_SYSTEM_CALL, &whole);
}

static inline struct user_regs_struct registers_of(pid_t child) {
    struct user_regs_struct all = {0};
    struct iovec whole = {&all, sizeof(all)};
    ptrace(PTRACE_GETREGSET, child, (void*)NT_PRSTATUS, &whole);
    return all;
}

static inline void set_result(pid_t child, long result) {
    struct user_regs_struct all = registers_of(child);
    struct iovec whole = {&all, sizeof(all)};
    all.regs[0] = (unsigned long)result;
    ptrace(PTRACE_SETREGSET, child, (void*)NT_PRSTATUS, &whole);
}

static inline unsigned long stack_of(pid_t child) {
    return registers_of(child).sp;
}

#endif
