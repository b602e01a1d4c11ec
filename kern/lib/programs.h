/* SPDX-License-Identifier: GPL-2.0 */
/* The programs: the hooks that start a record, and the stages that complete it. */
#ifndef EBT_LIB_PROGRAMS_H
#define EBT_LIB_PROGRAMS_H

#include "kern/lib/capture/capture.h"
#include "kern/lib/process.h"
#include "kern/lib/syscall.h"
#include "kern/lib/transfer/transfer.h"

HOOK(raw_syscalls, sys_exit)
int on_sys_exit(struct hook_context *ctx)
{
	__s64 nr = exit_number(ctx);
	const struct ebt_numbers *rows = selected_rows(nr);
	if (!rows)
		return 0;
	if ((rows->flags & EBT_GATED) && !gate_is_open())
		return 0;
	handle_sys_exit(ctx, rows, nr);
	return 0;
}

HOOK(raw_syscalls, sys_enter)
int on_sys_enter(struct hook_context *ctx)
{
	__s64 nr = enter_number(ctx);
	const struct ebt_numbers *rows = selected_rows(nr);
	if (rows)
		handle_sys_enter(ctx, rows, nr);
	return 0;
}

HOOK(sched, sched_process_fork)
int on_fork(struct hook_context *ctx)
{
	__u64 task = bpf_get_current_task(), child = forked_child(ctx, task);
	note_sharing(task, child);
	handle_fork(ctx, task, child);
	return 0;
}

HOOK(sched, sched_process_exec)
int on_exec(struct hook_context *ctx)
{
	handle_exec(ctx, bpf_get_current_task());
	return 0;
}

HOOK(sched, sched_process_exit)
int on_exit(struct hook_context *ctx)
{
	handle_exit(ctx, bpf_get_current_task());
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
	if (is_endpoint(&ends) && !is_own_process(bpf_get_current_pid_tgid()))
		record_connection(ctx, task, sk, &ends);
	return 0;
}

SEC("tp/syscalls/sys_enter_execve")
int on_enter_execve(void *ctx)
{
	handle_enter_exec();
	return 0;
}

SEC("tp/syscalls/sys_enter_execveat")
int on_enter_execveat(void *ctx)
{
	handle_enter_exec();
	return 0;
}

SEC("tp/task/task_rename")
int on_rename(void *ctx)
{
	handle_rename();
	return 0;
}

/* What tail calls go to. */
#define STAGE(NAME, name, ...)                                                                     \
	STAGE_SECTION                                                                              \
	int stage_##name(struct hook_context *ctx)                                                 \
	{                                                                                          \
		run_##name(ctx);                                                                   \
		return 0;                                                                          \
	}
#include "kern/abi/stages.def"
#undef STAGE

char LICENSE[] SEC("license") = "GPL";

#endif
