/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between tiers: how a hook gets its arguments, whether a loop may
 * stay a loop, how much one program does before a tail call continues it.
 *
 * A tier defines, before it includes programs.h:
 *   TIER_RAW         raw tracepoints, else classic ones
 *   TIER_KPROBE      kprobes: no tier, but the object that goes with each
 *   TIER_LOOPS       bounded loops are accepted
 *   TIER_RING        the ring buffer may be used
 *   TIER_DIRECT      kernel memory may be read without a helper
 *   TIER_WALK_STEPS  path components a program
 *   TIER_ARGV_STEPS  strings of an argument vector a program
 *   TIER_SCREEN_STEPS    steps of 64 bytes that a program looks through
 *   TIER_TRANSFER_STEPS  buffers and messages of one call a program
 *   TIER_WALK_INLINE   with TIER_LOOPS: path components that a capture walks without a tail call
 */
#ifndef EBT_LIB_TIER_H
#define EBT_LIB_TIER_H

#include "kern/arch/arch.h"
#include "kern/base/base.h"

#ifdef TIER_LOOPS
#define TIER_LOOP _Pragma("clang loop unroll(disable)")
#else
#define TIER_LOOP _Pragma("clang loop unroll(full)")
#endif

#ifdef TIER_KPROBE
#define STAGE_SECTION SEC("kprobe")
#elif defined(TIER_RAW)
#define HOOK(category, name) SEC("raw_tp/" #name)
#define STAGE_SECTION SEC("raw_tp")
#else
#define HOOK(category, name) SEC("tp/" #category "/" #name)
#define STAGE_SECTION SEC("tp")
#endif

#ifdef TIER_RAW

/* Raw tracepoints hand over the kernel's own arguments. */
struct hook_context {
	__u64 args[3];
};

INLINE __u64 exit_registers(struct hook_context *ctx, __u64 task)
{
	return ctx->args[0];
}

INLINE __s64 exit_number(struct hook_context *ctx)
{
	return registers_number(ctx->args[0]);
}

INLINE __s64 exit_result(struct hook_context *ctx)
{
	return ctx->args[1];
}

INLINE __s64 enter_number(struct hook_context *ctx)
{
	return ctx->args[1];
}

INLINE __u64 forked_child(struct hook_context *ctx, __u64 task)
{
	return ctx->args[1];
}

INLINE __u64 changed_sock(struct hook_context *ctx)
{
	return ctx->args[0];
}

INLINE __u32 changed_state(struct hook_context *ctx)
{
	return ctx->args[2];
}

#else

/* Classic tracepoints hand over a record whose layout is in its format file. */
struct hook_context {
	__u8 bytes[64];
};

INLINE __u64 exit_registers(struct hook_context *ctx, __u64 task)
{
	return task_registers(task);
}

/* A load whose offset the loader patches in. */
#define CONTEXT(ctx, field) (((struct ebt_features *)(ctx))->field)

INLINE __s64 exit_number(struct hook_context *ctx)
{
	return CONTEXT(ctx, tp_syscall_id);
}

INLINE __s64 exit_result(struct hook_context *ctx)
{
	return CONTEXT(ctx, tp_syscall_ret);
}

INLINE __s64 enter_number(struct hook_context *ctx)
{
	return CONTEXT(ctx, tp_syscall_id);
}

/*
 * The record has the child's id alone. Its task is at the end of its parent's list of
 * children, unless a child that has died meanwhile left its own children there. Threads
 * are in no such list.
 */
#define CHILDREN_SEARCHED 4

INLINE __u64 newest_child(__u64 parent, __u32 pid)
{
	__u64 entry = parent + OFFSET(task_struct, children);
#pragma clang loop unroll(full)
	for (int i = 0; i < CHILDREN_SEARCHED; i++) {
		__u32 child_pid = 0;
		/* list_head.prev is its second word */
		bpf_probe_read_kernel(&entry, sizeof(entry), (void *)(entry + 8));
		__u64 child = entry - OFFSET(task_struct, sibling);
		READ(&child_pid, child, task_struct, pid);
		if (child_pid == pid)
			return child;
	}
	return 0;
}

INLINE __u64 forked_child(struct hook_context *ctx, __u64 task)
{
	__u32 pid = 0;
	bpf_probe_read_kernel(&pid, sizeof(pid), (void *)ctx + FEATURE(tp_fork_child));
	__u64 child = newest_child(task, pid);
	if (!child) /* CLONE_PARENT: a sibling of the caller */
		child = newest_child(POINTER(task, task_struct, real_parent), pid);
	return child;
}

/* The socket whose state changes, and what to. */
INLINE __u64 changed_sock(struct hook_context *ctx)
{
	__u64 sock = 0;
	bpf_probe_read_kernel(&sock, sizeof(sock), (void *)ctx + FEATURE(tp_sock_address));
	return sock;
}

INLINE __u32 changed_state(struct hook_context *ctx)
{
	__u32 state = 0;
	bpf_probe_read_kernel(&state, sizeof(state), (void *)ctx + FEATURE(tp_sock_state));
	return state;
}

#endif

#endif
