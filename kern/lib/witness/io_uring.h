/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations of io_uring, which are no system calls: each is a record of its own, of the call
 * that it is like, with what was witnessed of it. Their result is not known.
 */
#ifndef EBT_LIB_WITNESS_IO_URING_H
#define EBT_LIB_WITNESS_IO_URING_H

#include "kern/lib/capture/capture.h"
#include "kern/lib/filter.h"
#include "kern/lib/select.h"
#include "kern/lib/witness/witness.h"

/* Of task_struct.flags; the second before 5.10. */
#define PF_IO_WORKER 0x10
#define PF_IO_WORKER_OLD 0x20000000

/* The call that an operation is like, by its number in the kernel's own ABI. */
struct operation {
	__u32 nr;
	__u64 args[EBT_ARGS]; /* those that can be known; the others are 0 */
};

/*
 * Does the thread work for io_uring? In io_uring_enter(2), or in a thread that has never been in
 * user space: one of the kernel's, since 5.12 of the process's own.
 */
INLINE int works_for_io_uring(__u64 task, const struct registers *r)
{
	__u32 flags = 0;
	if (is_under_way(r) && number_of(raw_number(r)) == NR_IO_URING_ENTER)
		return 1;
	if (!HAS(task_struct, flags) || READ(&flags, task, task_struct, flags))
		return 0;
	return (flags & PF_IO_WORKER) || ((flags & PF_IO_WORKER_OLD) && !came_from_user_space(r));
}

INLINE __u32 operation_row(__u32 nr)
{
	const struct ebt_numbers *rows = bpf_map_lookup_elem(&numbers, &nr);
	return rows ? rows->row[NATIVE_ABI & 3] : 0;
}

/* Begins the record of an operation, if the rules want the call that it is like. */
INLINE int begin_operation(struct claim *claim, __u64 task, const struct operation *op)
{
	__u32 row = operation_row(op->nr);
	__u64 ids = bpf_get_current_pid_tgid();
	claim->scratch = 0;
	if (!row || !is_selected(row) || is_own_process(ids))
		return 0;
	claim_slot(claim, task);
	struct scratch *s = claim->scratch;
	if (!s)
		return 0;
	claim->slot->seen++;
	header_begin(claim, ids, EBT_SYSCALL);
	s->header.nr = op->nr;
	s->header.row = s->row = row;
	s->header.flags = EBT_NO_RETURN | EBT_VIA_IO_URING;
	s->header.missing = EBT_MISSING_ARGS;
	__builtin_memcpy(s->header.args, op->args, sizeof(op->args));
	s->step_list = 0;
	s->witness.mode = WITNESS_EVENT;
	return 1;
}

/* The record has what was witnessed: the rules' numeric part comes next, then the process. */
INLINE void continue_operation(void *ctx, struct claim *claim)
{
	struct scratch *s = claim->scratch;
	__u32 row = s->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	s->witness.mode = WITNESS_DETAIL;
	if (plan)
		filter_and_capture(ctx, claim, bpf_get_current_task(), plan);
	else
		release_slot(claim->slot);
}

#endif
