/* SPDX-License-Identifier: GPL-2.0 */
/* The registers that user space enters the kernel with, and what a system call has in them. */
#ifndef EBT_ARCH_ARM64_REGISTERS_H
#define EBT_ARCH_ARM64_REGISTERS_H

#include "kern/base/call.h"
#include "kern/base/uapi.h"

/*
 * struct pt_regs up to the number: what ptrace(2) shows, then what the kernel keeps of a system
 * call, in the same places on every kernel since 4.14. x0 has the first argument until the
 * result takes its place; orig_x0 keeps it. 32-bit code has its registers in the first of these.
 */
struct registers {
	__u64 x[31];
	__u64 sp, pc, pstate;
	__u64 orig_x0;
	__s32 number; /* -1: it was no call that entered the kernel */
	__u32 unused;
};

/* The kernel keeps them at the top of the task's kernel stack. */
INLINE __u64 task_registers(__u64 task)
{
	return POINTER(task, task_struct, stack) + FEATURE(thread_regs);
}

INLINE __s64 raw_number(const struct registers *r)
{
	return r->number;
}

/* The number of the call; -1 when it cannot be read. */
INLINE __s64 registers_number(__u64 registers)
{
	__s32 nr = -1;
	READ_AT(&nr, registers + __builtin_offsetof(struct registers, number));
	return nr;
}

/* Tells the calls apart that a thread makes one after the other: pc is where user space goes on. */
INLINE __u64 call_identity(const struct registers *r)
{
	return (__u32)r->number + r->orig_x0 * 3 + r->x[1] * 5 + r->x[2] * 7 + r->x[3] * 11 +
	       r->x[4] * 13 + r->pc * 17;
}

/*
 * Is the call that came with these registers still under way? The result takes the place of the
 * first argument. One that equals it is taken for an argument: what runs on the way back to user
 * space then counts as part of the call.
 */
INLINE int is_under_way(const struct registers *r)
{
	return r->x[0] == r->orig_x0;
}

/* Has the task ever been in user space? */
INLINE int came_from_user_space(const struct registers *r)
{
	return r->pc != 0;
}

/* The arguments of the kernel's function that a kprobe is at, and the stack pointer there. */
#define FUNCTION_ARG1(registers) ((registers)->x[0])
#define FUNCTION_ARG2(registers) ((registers)->x[1])
#define FUNCTION_ARG3(registers) ((registers)->x[2])
#define FUNCTION_ARG4(registers) ((registers)->x[3])
#define FUNCTION_ARG5(registers) ((registers)->x[4])
#define FUNCTION_STACK(registers) ((registers)->sp)

INLINE void call_arguments(struct call *call, __u64 registers)
{
	struct registers r;
	if (READ_AT(&r, registers)) {
		call->missing |= EBT_MISSING_ARGS;
		__builtin_memset(call->args, 0, sizeof(call->args));
		call->identity = 0;
		return;
	}
	call->identity = call_identity(&r);
	call->args[0] = r.orig_x0;
	call->args[1] = r.x[1];
	call->args[2] = r.x[2];
	call->args[3] = r.x[3];
	call->args[4] = r.x[4];
	call->args[5] = r.x[5];
	if (call->abi == EBT_ARM) {
#pragma clang loop unroll(full)
		for (int i = 0; i < EBT_ARGS; i++)
			call->args[i] = (__u32)call->args[i];
	}
}

/* How a task entered the kernel: by which call, and from which instruction. */
struct entry {
	__u64 ip; /* 0 in a task that has never been in user space */
	__u64 pstate, orig_x0;
	__s32 raw_nr;
	__u32 unused;
};

INLINE void read_entry(struct entry *entry, __u64 task)
{
	READ_AT(entry, task_registers(task) + __builtin_offsetof(struct registers, pc));
}

INLINE __u64 user_ip(const struct ebt_registers *registers)
{
	return registers->pc;
}

#define PSR_MODE32 0x10 /* of pstate: 32-bit code, whose stack pointer is r13 */

INLINE __u64 user_sp(const struct ebt_registers *registers)
{
	return registers->pstate & PSR_MODE32 ? registers->x[13] : registers->sp;
}

#endif
