/* SPDX-License-Identifier: GPL-2.0 */
/* A system call as it came in. */
#ifndef EBT_BASE_CALL_H
#define EBT_BASE_CALL_H

#include "kern/base/base.h"

struct call {
	__u64 ids; /* bpf_get_current_pid_tgid() */
	__s32 nr;  /* as its ABI counts, without the bits that mark the ABI */
	__u32 abi; /* ebt_abi */
	__u32 row; /* of its plan; 0: not selected */
	__u32 missing;
	__s64 ret;
	__u64 args[EBT_ARGS];
	__u8 shared;    /* EBT_MEMORY_ARGS */
	__u8 execution; /* ebt_execution */
	__u8 watched;   /* ... which says whether it ran */
	__u64 identity; /* tells it from other calls that the thread makes; 0: not known */
};

#endif
