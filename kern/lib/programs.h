/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks: what starts a record, and the stages that complete it. */
#ifndef EBT_LIB_PROGRAMS_H
#define EBT_LIB_PROGRAMS_H

#include "kern/lib/capture.h"
#include "kern/lib/connection.h"
#include "kern/lib/filter.h"
#include "kern/lib/socketcall.h"
#include "kern/lib/stream.h"

#define AT_EXECVE_CHECK 0x10000

/* The kernel's own codes for calls that a signal interrupted lie between these two. */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

INLINE int is_own(__u64 ids)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	return set && set->self_tgid == ids >> 32;
}

/* The rows of a call's number; null when it is not selected in any ABI. */
INLINE const struct ebt_numbers *selected_rows(__s64 raw_nr)
{
	__u32 nr = raw_nr;
	__u32 index = nr & ~EBT_X32_BIT;
	if ((__s32)nr < 0 || index >= EBT_NUMBERS)
		return 0;
	const struct ebt_numbers *rows = bpf_map_lookup_elem(&numbers, &index);
	return rows && *(const __u64 *)rows->row ? rows : 0;
}

/* Row of the call in its ABI; 0 when it is not selected in that one. */
INLINE __u32 select_row(struct call *call, const struct ebt_numbers *rows, __u64 task, __s64 raw_nr)
{
	__u32 nr = raw_nr;
	int compat = is_compat(task);
	call->missing = ERROR_BIT((__s64)compat, EBT_MISSING_ABI);
	call->abi = compat > 0 ? EBT_I386 : nr & EBT_X32_BIT ? EBT_X32 : EBT_X86_64;
	call->nr = nr & ~EBT_X32_BIT;
	return call->row = rows->row[call->abi & 3];
}

/* A successful exec leaves registers of zeroes; only a check succeeds and keeps its flags. */
INLINE __u8 is_exec_check(const struct call *call)
{
	return call->ret == 0 && (call->args[4] & AT_EXECVE_CHECK) ? EBT_CHECKED : 0;
}

/* What a successful exec wiped from the registers, if its enter hook kept it. */
INLINE void restore_exec_call(struct call *call, __u64 task)
{
	const struct exec_call *kept = bpf_map_lookup_elem(&exec_calls, &task);
	if (kept && call->ret >= 0) {
		__u32 index = kept->nr & (EBT_NUMBERS - 1);
		const struct ebt_numbers *selected = bpf_map_lookup_elem(&numbers, &index);
		call->nr = index;
		call->abi = kept->abi;
		call->row = selected ? selected->row[kept->abi & 3] : 0;
		__builtin_memcpy(call->args, kept->args, sizeof(call->args));
	} else if (call->ret >= 0) {
		/* The registers and the ABI are those of the new image. */
		call->missing |= EBT_MISSING_ARGS | EBT_MISSING_ABI;
	}
	if (kept)
		bpf_map_delete_elem(&exec_calls, &task);
}

/* The same, for the hook that most calls end in: a tail call less. */
INLINE void filter_here(void *ctx, struct claim *claim, __u64 task, const struct ebt_plan *plan)
{
#ifdef TIER_LOOPS
	claim->scratch->vital = plan->flags & EBT_PLAN_VITAL;
	if (plan->flags & EBT_PLAN_WHO)
		header_who(claim->scratch, task);
	filter_values(claim->scratch);
	if (plan->predicates && !filter_passes(plan, claim->scratch))
		drop(ctx, claim);
	else
		go_on(ctx, claim, STAGE_CAPTURE);
#else
	filter_and_capture(ctx, claim, task, plan);
#endif
}

/* From here on the call counts as seen. */
INLINE void begin_call(struct claim *claim, const struct call *call, __u8 flags)
{
	struct scratch *s = claim->scratch;
	claim->slot->seen++;
	header_begin(claim, call->ids, EBT_SYSCALL);
	header_call(s, call);
	s->header.row = call->row;
	s->header.flags = flags;
	s->row = call->row;
}

INLINE void record_call(void *ctx, __u64 task, const struct call *call, const struct ebt_plan *plan,
			__u8 flags, int stream)
{
	struct claim claim;
	claim_slot(&claim, task);
	if (!claim.scratch)
		return;
	begin_call(&claim, call, flags);
	if (stream) {
		jump(ctx, claim.scratch, STAGE_STREAM);
		claim.slot->lost[EBT_LOST_TAIL_CALL]++;
		release_slot(claim.slot);
		return;
	}
	filter_here(ctx, &claim, task, plan);
}

/* A selected call at its end. */
INLINE void run_sys_exit(struct hook_context *ctx, const struct ebt_numbers *rows, __s64 raw_nr)
{
	struct call call = {.ids = bpf_get_current_pid_tgid()};
	__u64 task = bpf_get_current_task();
	__u64 registers = exit_registers(ctx, task);
	__s64 ret = exit_result(ctx);
	if (!select_row(&call, rows, task, raw_nr) || is_own(call.ids))
		return;
	if ((rows->gated >> call.abi & EBT_GATED_ABI) && !streams_open())
		return;
	call.ret = ret;
	call_arguments(&call, registers);
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call.row);
	if (plan && (plan->flags & EBT_PLAN_SOCKETCALL)) {
		if (!dispatch_socketcall(&call, plan))
			return;
		plan = bpf_map_lookup_elem(&plans, &call.row);
	}
	__u8 flags = 0;
	if (plan && (plan->flags & EBT_PLAN_EXEC)) {
		flags = is_exec_check(&call);
		restore_exec_call(&call, task);
		plan = bpf_map_lookup_elem(&plans, &call.row);
		if (plan && (plan->flags & EBT_PLAN_DISPATCH_ONLY))
			return;
	}
	if (call.ret >= -ERESTART_RESTARTBLOCK && call.ret <= -ERESTARTSYS) {
		flags |= EBT_INTERRUPTED;
		call.ret = -EINTR;
	}
	/* The child's side of a clone is told by the fork hook. */
	if (!call.row || !plan || ((plan->flags & EBT_PLAN_CLONE) && ret == 0))
		return;
	int stream = (plan->flags & EBT_PLAN_STREAM) && may_stream(&call, plan);
	if (stream || !(plan->flags & EBT_PLAN_STREAM_ONLY))
		record_call(ctx, task, &call, plan, flags, stream);
}

INLINE void keep_exec_call(__u64 task, const struct call *call)
{
	struct exec_call kept = {.nr = call->nr, .abi = call->abi};
	__builtin_memcpy(kept.args, call->args, sizeof(kept.args));
	bpf_map_update_elem(&exec_calls, &task, &kept, BPF_ANY);
}

/*
 * Calls whose registers do not last to their end: rt_sigreturn replaces them, and on
 * kernels without tracepoints of their own execve and execveat come this way too.
 */
INLINE void run_sys_enter(void *ctx, const struct ebt_numbers *rows, __s64 raw_nr)
{
	struct call call = {.ids = bpf_get_current_pid_tgid()};
	__u64 task = bpf_get_current_task();
	__u64 registers = task_registers(task);
	if (!select_row(&call, rows, task, raw_nr) || is_own(call.ids))
		return;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call.row);
	if (!plan || !(plan->flags & (EBT_PLAN_ENTER | EBT_PLAN_EXEC)))
		return;
	call.ret = 0;
	call_arguments(&call, registers);
	if (plan->flags & EBT_PLAN_EXEC)
		keep_exec_call(task, &call);
	else
		record_call(ctx, task, &call, plan, EBT_NO_RETURN, 0);
}

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

INLINE int is_selected(__u32 row)
{
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	return plan && ((plan->flags & EBT_INCLUDE_ALL) || plan->predicates);
}

/* fork, vfork, clone without CLONE_THREAD; the kernel's own threads are no processes. */
INLINE void run_fork(void *ctx, __u64 task, __u64 child)
{
	__u32 pid = 0, tgid = 0;
	__u64 start_time = 0;
	READ(&pid, child, task_struct, pid);
	READ(&tgid, child, task_struct, tgid);
	READ(&start_time, child, task_struct, start_boottime);
	if (!child || pid != tgid || !POINTER(child, task_struct, mm) ||
	    !is_selected(EBT_ROW_FORK) || is_own(bpf_get_current_pid_tgid()))
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

INLINE void run_exec(void *ctx, __u64 task)
{
	if (!is_selected(EBT_ROW_EXEC) || is_own(bpf_get_current_pid_tgid()))
		return;
	struct claim claim;
	claim_slot(&claim, task);
	if (!claim.scratch)
		return;
	begin_process(&claim, EBT_EXEC, EBT_ROW_EXEC, 0);
	record_process(ctx, &claim, task);
}

#define SIGNAL_GROUP_EXIT 4

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
	__s64 nr = -1;
	__u64 registers = task_registers(task);
	READ_AT(&nr, registers + __builtin_offsetof(struct registers, orig_ax));
	const struct ebt_numbers *rows = selected_rows(nr);
	if (!rows || !select_row(call, rows, task, nr))
		return 0;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call->row);
	if (!plan || !(plan->flags & EBT_PLAN_NO_RETURN) || (plan->flags & EBT_PLAN_ENTER))
		return 0;
	call->ids = bpf_get_current_pid_tgid();
	call->ret = 0;
	call_arguments(call, registers);
	return plan;
}

/* Is the caller the one that tells of its process's end? The first that asks is. */
INLINE int ends_process(__u64 task)
{
	__s32 live = -1;
	__u32 exec_id = 0;
	__u8 told = 1;
	struct process_key key = {.tgid = bpf_get_current_pid_tgid() >> 32};
	READ(&live, POINTER(task, task_struct, signal), signal_struct, live);
	if (live != 0 || !is_selected(EBT_ROW_EXIT))
		return 0;
	/* Processes descend from one that has executed a program, kernel threads do not. */
	if (!READ(&exec_id, task, task_struct, self_exec_id) && !exec_id)
		return 0;
	READ(&key.start_time, POINTER(task, task_struct, group_leader), task_struct,
	     start_boottime);
	return bpf_map_update_elem(&ended, &key, &told, BPF_NOEXIST) == 0;
}

/*
 * The same after the thread's exit call: its record says all of the process that this
 * one has to, so what it has is kept.
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

INLINE void run_exit(void *ctx, __u64 task)
{
	struct call call;
	int ends = ends_process(task);
	const struct ebt_plan *plan = exit_call(&call, task);
	if ((!plan && !ends) || is_own(bpf_get_current_pid_tgid()))
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
	claim.scratch->then_stage = ends ? STAGE_EXIT : 0;
	filter_and_capture(ctx, &claim, task, plan);
}

/* The stage: drops what the rules do not want. */
INLINE void run_filter(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	__u32 row = s->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (!plan)
		return;
	if (filter_passes(plan, s))
		go_on(ctx, &claim, STAGE_CAPTURE);
	else
		drop(ctx, &claim);
}

HOOK(raw_syscalls, sys_exit)
int on_sys_exit(struct hook_context *ctx)
{
	__s64 nr = exit_number(ctx);
	const struct ebt_numbers *rows = selected_rows(nr);
	if (!rows)
		return 0;
	if ((rows->gated & EBT_GATED) && !streams_open())
		return 0;
	run_sys_exit(ctx, rows, nr);
	return 0;
}

HOOK(raw_syscalls, sys_enter)
int on_sys_enter(struct hook_context *ctx)
{
	__s64 nr = enter_number(ctx);
	const struct ebt_numbers *rows = selected_rows(nr);
	if (rows)
		run_sys_enter(ctx, rows, nr);
	return 0;
}

HOOK(sched, sched_process_fork)
int on_fork(struct hook_context *ctx)
{
	__u64 task = bpf_get_current_task();
	run_fork(ctx, task, forked_child(ctx, task));
	return 0;
}

HOOK(sched, sched_process_exec)
int on_exec(struct hook_context *ctx)
{
	run_exec(ctx, bpf_get_current_task());
	return 0;
}

HOOK(sched, sched_process_exit)
int on_exit(struct hook_context *ctx)
{
	run_exit(ctx, bpf_get_current_task());
	return 0;
}

HOOK(sock, inet_sock_set_state)
int on_sock_state(struct hook_context *ctx)
{
	struct ebt_socket ends;
	if (changed_state(ctx) != TCP_SYN_SENT)
		return 0;
	__u64 task = bpf_get_current_task(), sk = changed_sock(ctx);
	if (in_connecting_call(task))
		return 0;
	read_sock(&ends, sk, SOCK_STREAM);
	if (is_endpoint(&ends) && !is_own(bpf_get_current_pid_tgid()))
		record_connection(ctx, task, sk, &ends);
	return 0;
}

/*
 * Keep an exec's registers. These two are classic tracepoints in every tier: cheaper
 * than a hook on every call, and blind to 32-bit callers alone.
 */
INLINE void run_enter_exec(void)
{
	struct call call = {.abi = EBT_X86_64};
	__u64 nr = -1;
	__u64 task = bpf_get_current_task();
	__u64 registers = task_registers(task);
	READ_AT(&nr, registers + __builtin_offsetof(struct registers, orig_ax));
	if (nr & EBT_X32_BIT)
		call.abi = EBT_X32;
	call.nr = nr & ~EBT_X32_BIT;
	call_arguments(&call, registers);
	keep_exec_call(task, &call);
}

SEC("tp/syscalls/sys_enter_execve")
int on_enter_execve(void *ctx)
{
	run_enter_exec();
	return 0;
}

SEC("tp/syscalls/sys_enter_execveat")
int on_enter_execveat(void *ctx)
{
	run_enter_exec();
	return 0;
}

/* What a tail call goes to. */
#define STAGE_PROGRAM(name)                                                                        \
	STAGE                                                                                      \
	int stage_##name(struct hook_context *ctx)                                                 \
	{                                                                                          \
		run_##name(ctx);                                                                   \
		return 0;                                                                          \
	}

STAGE_PROGRAM(filter)
STAGE_PROGRAM(capture)
STAGE_PROGRAM(walk)
STAGE_PROGRAM(argv)
STAGE_PROGRAM(stream)
STAGE_PROGRAM(copy)
STAGE_PROGRAM(call)
STAGE_PROGRAM(stack)

STAGE
int stage_exit(struct hook_context *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (claim.scratch)
		record_exit_after_call(ctx, &claim, bpf_get_current_task());
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

#endif
