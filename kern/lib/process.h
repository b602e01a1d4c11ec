/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that start, execute a program or end: what the hooks of the scheduler do. */
#ifndef EBT_LIB_PROCESS_H
#define EBT_LIB_PROCESS_H

#include "kern/lib/capture/capture.h"
#include "kern/lib/syscall.h"

/* From here on the process event counts as seen. */
INLINE void begin_process(struct claim *claim, __u8 kind, __u32 row, __s64 ret)
{
	struct scratch *s = claim->scratch;
	claim->slot->seen++;
	header_begin(claim, bpf_get_current_pid_tgid(), kind);
	s->header.ret = ret;
	s->header.row = row;
	s->row = row;
}

INLINE void record_process(void *ctx, struct claim *claim, __u64 task)
{
	__u32 row = claim->scratch->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (plan)
		filter_and_capture(ctx, claim, task, plan);
	else
		release_slot(claim->slot);
}

/* fork, vfork, clone without CLONE_THREAD; the kernel's own threads are no processes. */
INLINE void handle_fork(void *ctx, __u64 task, __u64 child)
{
	__u32 pid = 0, tgid = 0;
	__u64 start_time = 0;
	READ(&pid, child, task_struct, pid);
	READ(&tgid, child, task_struct, tgid);
	READ(&start_time, child, task_struct, start_boottime);
	if (!child || pid != tgid || !POINTER(child, task_struct, mm) ||
	    !is_selected(EBT_ROW_FORK) || is_own_process(bpf_get_current_pid_tgid()))
		return;
	struct claim claim;
	claim_slot(&claim, task);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	begin_process(&claim, EBT_FORK, EBT_ROW_FORK, pid);
	struct ebt_field *field = field_begin(s, EBT_FIELD_CHILD, EBT_ARG_NONE);
	struct ebt_child *out = (void *)(field + 1);
	out->start_time = start_time;
	out->tgid = tgid;
	out->tid = pid;
	field_end(s, field, EBT_OK, sizeof(*out), sizeof(*out));
	record_process(ctx, &claim, task);
}

/*
 * The execve of a thread that has a tracer, which may change the number before the call's end: its
 * record is written here. The enter hook kept what it was called with.
 */
INLINE void record_traced_exec(void *ctx, __u64 task)
{
	struct exec_call *kept = bpf_map_lookup_elem(&exec_calls, &task);
	if (!kept || !(supervisors(task) & EBT_TRACED))
		return;
	struct call call = {.ids = bpf_get_current_pid_tgid(), .nr = kept->nr, .abi = kept->abi};
	__u32 index = kept->nr & (EBT_NUMBERS - 1);
	const struct ebt_numbers *rows = bpf_map_lookup_elem(&numbers, &index);
	call.row = rows ? rows->row[call.abi & 3] : 0;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call.row);
	if (!call.row || !plan || (plan->flags & EBT_PLAN_DISPATCH_ONLY) ||
	    is_own_process(call.ids))
		return;
	call.watched = 1; /* it has been executed */
	__builtin_memcpy(call.args, kept->args, sizeof(call.args));
	kept->recorded = 1;
	record_call(ctx, task, &call, plan, 0, 0, 0);
}

INLINE void handle_exec(void *ctx, __u64 task)
{
	if (!is_selected(EBT_ROW_EXEC)) {
		record_traced_exec(ctx, task);
		return;
	}
	if (is_own_process(bpf_get_current_pid_tgid()))
		return;
	struct claim claim;
	claim_slot(&claim, task);
	if (!claim.scratch)
		return;
	begin_process(&claim, EBT_EXEC, EBT_ROW_EXEC, 0);
	record_process(ctx, &claim, task);
}

/* What wait(2) will report of the caller's process. */
INLINE __s64 wait_status(__u64 task)
{
	__u32 flags = 0, code = 0;
	__u64 signal = POINTER(task, task_struct, signal);
	READ(&flags, signal, signal_struct, flags);
	if (flags & SIGNAL_GROUP_EXIT)
		READ(&code, signal, signal_struct, group_exit_code);
	else
		READ(&code, POINTER(task, task_struct, group_leader), task_struct, exit_code);
	return code;
}

/* The process's end, once its last thread is gone. */
INLINE void record_exit(void *ctx, struct claim *claim, __u64 task)
{
	begin_process(claim, EBT_EXIT, EBT_ROW_EXIT, wait_status(task));
	/* The address space is gone on some kernels, there on others: never looked at. */
	claim->scratch->with_image = 0;
	record_process(ctx, claim, task);
}

/* The exit or exit_group that brought the thread here, if one did; it has no sys_exit. */
INLINE const struct ebt_plan *exit_call(struct call *call, __u64 task)
{
	__u64 registers = task_registers(task);
	__s64 nr = registers_number(registers);
	const struct ebt_numbers *rows = selected_rows(nr);
	if (!rows || !select_row(call, rows, task, nr))
		return 0;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call->row);
	if (!plan || !(plan->flags & EBT_PLAN_NO_RETURN) || (plan->flags & EBT_PLAN_ENTER))
		return 0;
	call->ids = bpf_get_current_pid_tgid();
	call->ret = 0;
	call->shared = call->execution = 0;
	call->watched = 1;
	call_arguments(call, registers);
	return plan;
}

/* Is the caller the thread that reports the end of its process? The first one to get here is. */
INLINE int ends_process(__u64 task)
{
	__s32 live = -1;
	__u32 exec_id = 0;
	__u8 reported = 1;
	struct process_key key = {.tgid = bpf_get_current_pid_tgid() >> 32};
	READ(&live, POINTER(task, task_struct, signal), signal_struct, live);
	if (live != 0 || !is_selected(EBT_ROW_EXIT))
		return 0;
	/* Processes descend from one that has executed a program, kernel threads do not. */
	if (!READ(&exec_id, task, task_struct, self_exec_id) && !exec_id)
		return 0;
	READ(&key.start_time, POINTER(task, task_struct, group_leader), task_struct,
	     start_boottime);
	return bpf_map_update_elem(&ended_processes, &key, &reported, BPF_NOEXIST) == 0;
}

/*
 * Begins the record of the process's end after that of the thread's exit call. What that
 * one has of the process is kept: it is the same.
 */
INLINE void record_exit_after_call(void *ctx, struct claim *claim, __u64 task)
{
	struct scratch *s = claim->scratch;
	__u32 position = s->position, phase = s->phase;
	__u32 missing = s->header.missing & ~(EBT_MISSING_ARGS | EBT_MISSING_ABI);
	__u16 fields = s->header.fields;
	__u8 flags = s->header.flags & EBT_LOST_FIELDS;
	begin_process(claim, EBT_EXIT, EBT_ROW_EXIT, wait_status(task));
	s->with_image = 0;
	if (phase != PHASE_BEGIN) { /* else the call was filtered out */
		s->position = position;
		s->phase = PHASE_STEPS;
		s->header.missing = missing;
		s->header.fields = fields;
		s->header.flags = flags;
	}
	record_process(ctx, claim, task);
}

/* The stage: the end of the process, after the record of the call that ended it. */
INLINE void run_exit(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (claim.scratch)
		record_exit_after_call(ctx, &claim, bpf_get_current_task());
}

INLINE void handle_exit(void *ctx, __u64 task)
{
	struct call call;
	int ends = ends_process(task);
	const struct ebt_plan *plan = exit_call(&call, task);
	if ((!plan && !ends) || is_own_process(bpf_get_current_pid_tgid()))
		return;
	struct claim claim;
	claim_slot(&claim, task);
	if (!claim.scratch)
		return;
	if (!plan) {
		record_exit(ctx, &claim, task);
		return;
	}
	begin_call(&claim, &call, EBT_NO_RETURN);
	claim.scratch->with_image = 0;
	claim.scratch->next_record_stage = ends ? STAGE_EXIT : 0;
	filter_and_capture(ctx, &claim, task, plan);
}

#endif
