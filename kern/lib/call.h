/* SPDX-License-Identifier: GPL-2.0 */
/* A system call as it came in, and what to read from the registers of the caller. */
#ifndef EBT_LIB_CALL_H
#define EBT_LIB_CALL_H

#include "kern/lib/tier.h"

#define TS_COMPAT 2

/* A system call as it came in. */
struct call {
	__u64 ids; /* bpf_get_current_pid_tgid() */
	__s32 nr;
	__u32 abi;
	__u32 row;
	__u32 missing;
	__s64 ret;
	__u64 args[EBT_ARGS];
};

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

INLINE void call_arguments(struct call *call, __u64 registers)
{
	struct registers r;
	if (READ_AT(&r, registers)) {
		call->missing |= EBT_MISSING_ARGS;
		__builtin_memset(call->args, 0, sizeof(call->args));
		return;
	}
	if (call->abi == EBT_I386) {
		call->args[0] = r.bx;
		call->args[1] = r.cx;
		call->args[2] = r.dx;
		call->args[3] = r.si;
		call->args[4] = r.di;
		call->args[5] = r.bp;
	} else {
		call->args[0] = r.di;
		call->args[1] = r.si;
		call->args[2] = r.dx;
		call->args[3] = r.r10;
		call->args[4] = r.r8;
		call->args[5] = r.r9;
	}
}

#endif
