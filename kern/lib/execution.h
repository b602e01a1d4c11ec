/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Did a call run at all? A seccomp filter or a tracer may answer it in the kernel's place, with
 * any result. Both do so before the kernel runs its hook at the start of calls: one whose end is
 * seen and whose start is not never ran. On every kernel from 4.14 on.
 */
#ifndef EBT_LIB_EXECUTION_H
#define EBT_LIB_EXECUTION_H

#include "kern/arch/arch.h"
#include "kern/base/call.h"
#include "kern/base/maps.h"

/* Is a record to say whether the call ran? One that only moves bytes may have a gate in its way. */
INLINE int is_watched(const struct ebt_settings *set, const struct ebt_numbers *rows,
		      const struct call *call)
{
	return set->watched_since && !(rows->flags >> abi_slot(call->abi) & EBT_GATED_ABI);
}

INLINE __u8 supervised_by(__u32 seccomp_mode, __u32 ptrace)
{
	return (seccomp_mode ? EBT_SECCOMP : 0) | (ptrace ? EBT_TRACED : 0);
}

/* 0: it has none. */
INLINE __u32 tracer_of(__u64 task)
{
	__u32 ptrace = 0;
	if (HAS(task_struct, ptrace))
		READ(&ptrace, task, task_struct, ptrace);
	return ptrace;
}

/* Who could answer calls of this thread. */
INLINE __u8 supervisors(__u64 task)
{
	__u32 mode = 0;
	if (HAS(task_struct, seccomp_mode))
		READ(&mode, task, task_struct, seccomp_mode);
	return supervised_by(mode, tracer_of(task));
}

INLINE void note_start(__u64 task, __u64 ids, __s64 nr)
{
	struct entered_call *known = bpf_map_lookup_elem(&entered_calls, &task);
	if (known) {
		known->ids = ids;
		known->nr = nr;
		return;
	}
	struct entered_call first = {.ids = ids, .nr = nr};
	bpf_map_update_elem(&entered_calls, &task, &first, BPF_ANY);
}

/* Of a thread whose calls were never seen to start: is it new, and so is this its first? */
INLINE __u8 first_call(__u64 task)
{
	__u32 zero = 0;
	__u64 start = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	READ(&start, task, task_struct, start_boottime);
	return set && start > set->watched_since ? EBT_SKIPPED : EBT_UNPROVEN;
}

/*
 * How the call was executed that ends, whose start should have been seen: ebt_execution. A tracer
 * may have changed its number since it began: *nr becomes the one that the kernel took.
 */
INLINE __u8 how_executed(__u64 task, __u64 ids, __s64 *nr)
{
	struct entered_call *call = bpf_map_lookup_elem(&entered_calls, &task);
	__s64 began = -1;
	/* A thread that executes a program takes its leader's id, but not its task_struct. */
	int is_known = call && call->ids >> 32 == ids >> 32;
	if (is_known) {
		began = call->nr;
		call->nr = -1;
		if (began == *nr)
			return 0;
	}
	__u8 by = supervisors(task);
	if (!by)
		return 0;
	if (began >= 0 && (by & EBT_TRACED)) {
		*nr = began;
		return 0;
	}
	return by | (is_known ? EBT_SKIPPED : first_call(task));
}

#endif
