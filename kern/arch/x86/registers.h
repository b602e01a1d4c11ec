/* SPDX-License-Identifier: GPL-2.0 */
/* The registers that user space enters the kernel with, and what a system call has in them. */
#ifndef EBT_ARCH_X86_REGISTERS_H
#define EBT_ARCH_X86_REGISTERS_H

#include "kern/base/call.h"
#include "kern/base/uapi.h"

/* struct pt_regs up to the number: part of the ptrace interface, the same on every kernel. */
struct registers {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};

/* The kernel keeps them at the top of the task's kernel stack. */
INLINE __u64 task_registers(__u64 task)
{
	return POINTER(task, task_struct, stack) + FEATURE(thread_regs);
}

INLINE __s64 raw_number(const struct registers *r)
{
	return r->orig_ax;
}

/* Has the task ever been in user space? cx is where it goes on there. */
INLINE int came_from_user_space(const struct registers *r)
{
	return r->cx != 0;
}

/* The number of the call with the bit that marks x32; -1 when it cannot be read. */
INLINE __s64 registers_number(__u64 registers)
{
	__s64 nr = -1;
	READ_AT(&nr, registers + __builtin_offsetof(struct registers, orig_ax));
	return nr;
}

/* Tells the calls apart that a thread makes one after the other: cx is where user space goes on. */
INLINE __u64 call_identity(const struct registers *r)
{
	return r->orig_ax + r->di * 3 + r->si * 5 + r->dx * 7 + r->r10 * 11 + r->r8 * 13 +
	       r->cx * 17;
}

/*
 * Is the call that came with these registers still under way? Its result stands as -ENOSYS in
 * them until it has one. What runs on the way back to user space is no part of it any more.
 */
INLINE int is_under_way(const struct registers *r)
{
	return r->ax == (__u64)-ENOSYS;
}

/* The arguments of the kernel's function that a kprobe is at, and the stack pointer there. */
#define FUNCTION_ARG1(registers) ((registers)->di)
#define FUNCTION_ARG2(registers) ((registers)->si)
#define FUNCTION_ARG3(registers) ((registers)->dx)
#define FUNCTION_ARG4(registers) ((registers)->cx)
#define FUNCTION_ARG5(registers) ((registers)->r8)
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
	call->identity = HAS_FEATURE(witnesses) ? call_identity(&r) : 0;
	if (call->abi == EBT_I386) {
		/* A 64-bit program may enter this way with more in its registers: the kernel
		 * takes the lower halves. */
		call->args[0] = (__u32)r.bx;
		call->args[1] = (__u32)r.cx;
		call->args[2] = (__u32)r.dx;
		call->args[3] = (__u32)r.si;
		call->args[4] = (__u32)r.di;
		call->args[5] = (__u32)r.bp;
	} else {
		call->args[0] = r.di;
		call->args[1] = r.si;
		call->args[2] = r.dx;
		call->args[3] = r.r10;
		call->args[4] = r.r8;
		call->args[5] = r.r9;
	}
}

/* How a task entered the kernel: by which call, and from which instruction. */
struct entry {
	__u64 raw_nr;
	__u64 ip; /* 0 in a task that has never been in user space */
};

INLINE void read_entry(struct entry *entry, __u64 task)
{
	READ_AT(entry, task_registers(task) + __builtin_offsetof(struct ebt_registers, orig_ax));
}

INLINE __u64 user_ip(const struct ebt_registers *registers)
{
	return registers->ip;
}

INLINE __u64 user_sp(const struct ebt_registers *registers)
{
	return registers->sp;
}

#endif
