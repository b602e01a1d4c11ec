/* SPDX-License-Identifier: GPL-2.0 */
/* Which ABI a system call came in by, and how wide its pointers are. */
#ifndef EBT_ARCH_X86_ABI_H
#define EBT_ARCH_X86_ABI_H

#include "kern/base/call.h"

#define NATIVE_ABI EBT_NATIVE_ABI
/* Numbers of calls that make processes. */
#define NR_CLONE 56
#define NR_VFORK 58
#define NR_COMPAT_CLONE 120
#define NR_COMPAT_VFORK 190
/* Numbers of calls that io_uring has operations like. */
#define NR_CONNECT 42
#define NR_SENDTO 44
#define NR_SENDMSG 46
#define NR_BIND 49
#define NR_OPENAT 257
#define NR_MKDIRAT 258
#define NR_UNLINKAT 263
#define NR_LINKAT 265
#define NR_SYMLINKAT 266
#define NR_RENAMEAT2 316
#define NR_OPENAT2 437

#define TS_COMPAT 2 /* of thread_info.status */

INLINE __u32 abi_slot(__u32 abi)
{
	return abi;
}

INLINE __u32 pointer_size(__u32 abi)
{
	return abi == EBT_X86_64 ? 8 : 4;
}

/* x32 marks its calls by a bit of the number. */
INLINE __u64 number_of(__u64 raw_nr)
{
	return raw_nr & ~(__u64)EBT_X32_BIT;
}

/* Has the ABI such a number at all? i386 knows no bit in it. */
INLINE int is_number_of(__u32 abi, __s64 raw_nr)
{
	return abi != EBT_I386 || !(raw_nr & EBT_X32_BIT);
}

/* Is the current system call one of the 32-bit interface? 0, 1, or negative when unreadable. */
INLINE int is_compat(__u64 task)
{
	__u32 status = 0;
	if (!HAS(task_struct, status))
		return 0;
	if (READ(&status, task, task_struct, status))
		return -1;
	return (status & TS_COMPAT) != 0;
}

/* The ABI of a call that does not come from the 32-bit interface. As a function it costs more
 * instructions. */
#define NATIVE_ABI_OF(raw_nr) ((raw_nr)&EBT_X32_BIT ? EBT_X32 : EBT_X86_64)

/* A call's result, whatever its ABI: the kernel has it in 64 bits. */
INLINE __s64 result_of(__u32 abi, __s64 ret)
{
	return ret;
}

/* Fills in the ABI and the number of the call that the task is in. */
INLINE void identify_call(struct call *call, __u64 task, __s64 raw_nr)
{
	__u32 nr = raw_nr;
	int compat = is_compat(task);
	call->missing = ERROR_BIT((__s64)compat, EBT_MISSING_ABI);
	call->abi = compat > 0 ? EBT_I386 : NATIVE_ABI_OF(nr);
	call->nr = number_of(nr);
}

#endif
