/* SPDX-License-Identifier: GPL-2.0 */
/* Which ABI a system call came in by, and how wide its pointers are. */
#ifndef EBT_ARCH_ARM64_ABI_H
#define EBT_ARCH_ARM64_ABI_H

#include "kern/arch/arm64/registers.h"

#define NATIVE_ABI EBT_NATIVE_ABI
#define NO_SUCH_CALL 0x7fffffff
/* Numbers of calls that make processes. */
#define NR_CLONE 220
#define NR_VFORK NO_SUCH_CALL
#define NR_COMPAT_CLONE 120
#define NR_COMPAT_VFORK 190
/* Numbers of calls that io_uring has operations like. */
#define NR_MKDIRAT 34
#define NR_UNLINKAT 35
#define NR_SYMLINKAT 36
#define NR_LINKAT 37
#define NR_OPENAT 56
#define NR_BIND 200
#define NR_CONNECT 203
#define NR_SENDTO 206
#define NR_SENDMSG 211
#define NR_RENAMEAT2 276
#define NR_OPENAT2 437

#define TIF_32BIT 22 /* a bit of thread_info.flags, of threads that run 32-bit code */

INLINE __u32 abi_slot(__u32 abi)
{
	return EBT_ABI_SLOT(abi);
}

INLINE __u32 pointer_size(__u32 abi)
{
	return abi == EBT_AARCH64 ? 8 : 4;
}

/* The number is all that there is in its register. */
INLINE __u64 number_of(__u64 raw_nr)
{
	return raw_nr;
}

INLINE int is_number_of(__u32 abi, __s64 raw_nr)
{
	return 1;
}

/* Does the thread run 32-bit code, whose calls all are of that ABI? 0, 1, or negative when
 * unreadable. */
INLINE int is_compat(__u64 task)
{
	__u32 flags = 0;
	if (!HAS(task_struct, status))
		return 0;
	if (READ(&flags, task, task_struct, status))
		return -1;
	return flags >> TIF_32BIT & 1;
}

/* The ABI of a call that is known not to be one of 32-bit code. */
#define NATIVE_ABI_OF(raw_nr) EBT_AARCH64

/* Numbers that exec has in either ABI. */
#define IS_EXEC(nr) ((nr) == 221 || (nr) == 281)
#define IS_ARM_EXEC(nr) ((nr) == 11 || (nr) == 387)

/*
 * Has the thread just begun a program of the other kind? The number is still that of its exec, in
 * the ABI that it was made by, and the registers are empty: the one that every caller puts the
 * number into (r7, x8) too.
 */
INLINE int changed_its_kind(__u64 task, int compat, __s64 nr)
{
	__u64 number[2] = {1, 1};
	if (compat > 0 ? !IS_EXEC(nr) : !IS_ARM_EXEC(nr))
		return 0;
	READ_AT(&number, task_registers(task) + __builtin_offsetof(struct registers, x[7]));
	return number[compat > 0 ? 0 : 1] == 0;
}

/* Fills in the ABI and the number of the call that the task is in. */
INLINE void identify_call(struct call *call, __u64 task, __s64 raw_nr)
{
	int compat = is_compat(task);
	call->missing = ERROR_BIT((__s64)compat, EBT_MISSING_ABI);
	if (changed_its_kind(task, compat, raw_nr))
		compat = compat <= 0;
	call->abi = compat > 0 ? EBT_ARM : EBT_AARCH64;
	call->nr = raw_nr;
}

/*
 * A call's result. That of 32-bit code has 32 bits, which kernels show as they are (5.10) or with
 * their sign (6.1): an address would seem to be an error.
 */
INLINE __s64 result_of(__u32 abi, __s64 ret)
{
	__u32 low = ret;
	if (abi != EBT_ARM)
		return ret;
	return low > (__u32)-4096 ? (__s64)(__s32)low : (__s64)low;
}

/* Nothing stands for another call here: socketcall(2) and ipc(2) are none of the EABI's. */
INLINE int dispatch_call(struct call *call, const struct ebt_plan *plan)
{
	return 1;
}

#endif
