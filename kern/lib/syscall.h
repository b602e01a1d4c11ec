/* SPDX-License-Identifier: GPL-2.0 */
/* System calls: what the hooks at their start and end do. */
#ifndef EBT_LIB_SYSCALL_H
#define EBT_LIB_SYSCALL_H

#include "kern/lib/execution.h"
#include "kern/lib/filter.h"
#include "kern/lib/select.h"
#include "kern/lib/transfer/transfer.h"
#include "kern/base/uapi.h"

/* A successful exec leaves registers of zeroes; only a check succeeds and keeps its flags. */
INLINE __u8 is_exec_check(const struct call *call)
{
	return call->ret == 0 && (call->args[4] & AT_EXECVE_CHECK) ? EBT_CHECKED : 0;
}

/* The caller's exec, if a hook before its end kept it. */
INLINE const struct exec_call *kept_exec_call(__u64 task)
{
	const struct exec_call *kept = bpf_map_lookup_elem(&exec_calls, &task);
	return kept && kept->tgid == bpf_get_current_pid_tgid() >> 32 ? kept : 0;
}

/* What a successful exec wiped from the registers, if its enter hook kept it. */
INLINE void restore_exec_call(struct call *call, __u64 task)
{
	const struct exec_call *kept = kept_exec_call(task);
	if (kept && kept->recorded) {
		call->row = 0;
	} else if (kept && call->ret >= 0) {
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

/* So many predicates the hook itself compares: most plans have no more. */
#define INLINE_PREDICATES 8

/* filter_and_capture() for the hook that most calls end in: it saves a tail call. */
INLINE void filter_inline(void *ctx, struct claim *claim, __u64 task, const struct ebt_plan *plan)
{
	filter_begin(claim->scratch, task, plan);
	if (plan->predicates > INLINE_PREDICATES) {
		continue_in(ctx, claim, STAGE_FILTER);
		return;
	}
	if (plan->predicates && !filter_passes(plan, claim->scratch, INLINE_PREDICATES))
		filter_out(ctx, claim);
	else
		continue_in(ctx, claim, STAGE_CAPTURE);
}

/* From here on the call counts as seen. */
INLINE void begin_call(struct claim *claim, const struct call *call, __u8 flags)
{
	struct scratch *s = claim->scratch;
	claim->slot->seen++;
	header_begin(claim, call->ids, EBT_SYSCALL);
	header_call(s, call);
	s->watched = call->watched;
	s->header.row = call->row;
	s->header.flags = flags;
	s->row = call->row;
}

INLINE void record_call(void *ctx, __u64 task, const struct call *call, const struct ebt_plan *plan,
			__u8 flags, int transfer, int witnessed)
{
	struct claim claim;
	claim_slot(&claim, task);
	if (!claim.scratch)
		return;
	begin_call(&claim, call, flags);
	claim.scratch->witness.mode = witnessed ? WITNESS_TAKEN : WITNESS_NONE;
	if (transfer) {
		tail_call(ctx, claim.scratch, STAGE_TRANSFER);
		claim.slot->lost[EBT_LOST_TAIL_CALL]++;
		release_slot(claim.slot);
		return;
	}
	filter_inline(ctx, &claim, task, plan);
}

/* A selected call at its end. */
INLINE void handle_sys_exit(struct hook_context *ctx, const struct ebt_numbers *rows, __s64 raw_nr)
{
	struct call call = {.ids = bpf_get_current_pid_tgid()};
	__u64 task = bpf_get_current_task();
	__u64 registers = exit_registers(ctx, task);
	__s64 ret = exit_result(ctx);
	const struct ebt_settings *set = current_settings();
	if (!select_row(&call, rows, task, raw_nr) || !set || is_self(set, call.ids))
		return;
	if (is_watched(set, rows, &call)) {
		__s64 nr = (__s32)raw_nr;
		call.execution = how_executed(task, call.ids, &nr);
		call.watched = 1;
		if (nr != (__s32)raw_nr) {
			rows = selected_rows(nr);
			if (!rows || !select_row(&call, rows, task, nr))
				return;
		}
	}
	ret = result_of(call.abi, ret);
	__u32 flags_of_abi = rows->flags >> abi_slot(call.abi);
	if ((flags_of_abi & EBT_GATED_ABI) && !gate_is_open())
		return;
	if ((flags_of_abi & EBT_OLD_NUMBER) && ret == -ENOSYS)
		return;
	call.ret = ret;
	call_arguments(&call, registers);
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call.row);
	if (plan && (plan->flags & (EBT_PLAN_SOCKETCALL | EBT_PLAN_IPC))) {
		if (!dispatch_call(&call, plan))
			return;
		plan = bpf_map_lookup_elem(&plans, &call.row);
	}
	__u8 flags = 0;
	if (plan && (plan->flags & EBT_PLAN_EXEC)) {
		flags = is_exec_check(&call);
		if (!(call.execution & EBT_SKIPPED))
			restore_exec_call(&call, task);
		plan = bpf_map_lookup_elem(&plans, &call.row);
		if (plan && (plan->flags & EBT_PLAN_DISPATCH_ONLY))
			return;
	}
	if (call.ret >= -ERESTART_RESTARTBLOCK && call.ret <= -ERESTARTSYS) {
		flags |= EBT_INTERRUPTED;
		call.ret = -EINTR;
	}
	int witnessed = HAS_FEATURE(witnesses) && plan && plan->witness &&
			end_witness(task, &call, plan->flags & EBT_PLAN_EXEC);
	/* The fork hook has reported the child of a clone already. */
	if (!call.row || !plan || ((plan->flags & EBT_PLAN_CLONE) && ret == 0))
		return;
	int transfer = (plan->flags & EBT_PLAN_TRANSFER) && !(call.execution & EBT_SKIPPED) &&
		       may_transfer(&call, plan);
	if (transfer || !(plan->flags & EBT_PLAN_TRANSFER_ONLY))
		record_call(ctx, task, &call, plan, flags, transfer, witnessed);
}

INLINE void keep_exec_call(__u64 task, const struct call *call)
{
	struct exec_call kept = {
	    .nr = call->nr, .abi = call->abi, .tgid = bpf_get_current_pid_tgid() >> 32};
	__builtin_memcpy(kept.args, call->args, sizeof(kept.args));
	bpf_map_update_elem(&exec_calls, &task, &kept, BPF_ANY);
}

/*
 * Calls whose registers do not last to their end: rt_sigreturn replaces them, and on
 * kernels without tracepoints of their own execve and execveat come this way too. Where the
 * starts of calls are watched, all others do as well.
 */
INLINE void handle_sys_enter(void *ctx, const struct ebt_numbers *rows, __s64 raw_nr)
{
	struct call call = {.ids = bpf_get_current_pid_tgid()};
	__u64 task = bpf_get_current_task();
	__u64 registers = task_registers(task);
	const struct ebt_settings *set = current_settings();
	if (!select_row(&call, rows, task, raw_nr) || !set || is_self(set, call.ids))
		return;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &call.row);
	if (!plan)
		return;
	if (is_watched(set, rows, &call) && !(plan->flags & (EBT_PLAN_ENTER | EBT_PLAN_NO_RETURN)))
		note_start(task, call.ids, (__s32)raw_nr);
	if (!(plan->flags & (EBT_PLAN_ENTER | EBT_PLAN_EXEC)))
		return;
	call.ret = 0;
	call_arguments(&call, registers);
	if (plan->flags & EBT_PLAN_EXEC)
		keep_exec_call(task, &call);
	else
		record_call(ctx, task, &call, plan, EBT_NO_RETURN, 0, 0);
}

/*
 * Keep an exec's registers. These two are classic tracepoints in every tier: cheaper
 * than a hook on every call. The kernel does not run them for calls of 32-bit code, see
 * handle_rename().
 */
INLINE void handle_enter_exec(void)
{
	struct call call = {};
	__u64 task = bpf_get_current_task();
	__u64 registers = task_registers(task);
	__s64 raw_nr = registers_number(registers);
	call.abi = NATIVE_ABI_OF(raw_nr);
	call.nr = number_of(raw_nr);
	call_arguments(&call, registers);
	keep_exec_call(task, &call);
}

/*
 * An exec gives the thread its new name while the registers of the call are still there: what
 * keeps the execs of 32-bit code. Other threads get new names by prctl and through /proc.
 */
INLINE void handle_rename(void)
{
	struct call call = {};
	__u64 task = bpf_get_current_task();
	if (identify_exec(&call, task) && !kept_exec_call(task))
		keep_exec_call(task, &call);
}

#endif
