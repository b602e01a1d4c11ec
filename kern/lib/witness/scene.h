/* SPDX-License-Identifier: GPL-2.0 */
/* Where a hook finds itself, and the entry of the call that it is in. */
#ifndef EBT_LIB_WITNESS_SCENE_H
#define EBT_LIB_WITNESS_SCENE_H

#include "kern/lib/select.h"
#include "kern/lib/witness/io_uring.h"
#include "kern/lib/witness/witness.h"

/* The call that a hook runs in. */
struct scene {
	__u64 task;
	__u64 ids;
	__u64 identity;
	__u64 stack; /* the stack pointer at the hook: lower the deeper the kernel is in itself */
};

INLINE int is_witnessed(__u32 row, __u32 kind)
{
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	return plan && (plan->witness & kind);
}

/* What a hook finds itself in. */
enum place {
	ELSEWHERE = 0,
	IN_CALL = 1,      /* a selected call whose plan wants this witness, and which is not over */
	IN_OPERATION = 2, /* of io_uring, if it may be one that a record can be made of */
};

INLINE enum place look_around(struct scene *scene, const struct ebt_registers *ctx, __u32 kind)
{
	struct registers r;
	struct call call;
	scene->task = bpf_get_current_task();
	if (READ_AT(&r, task_registers(scene->task)))
		return ELSEWHERE;
	if (works_for_io_uring(scene->task, &r))
		return IN_OPERATION;
	/* The rest of an operation may be done on the way back to user space. */
	if (!is_under_way(&r))
		return (kind & EBT_WITNESS_ADDRESSES) && POINTER(scene->task, task_struct, mm)
			   ? IN_OPERATION
			   : ELSEWHERE;
	const struct ebt_numbers *rows = selected_rows(raw_number(&r));
	if (!(rows && select_row(&call, rows, scene->task, raw_number(&r)) &&
	      is_witnessed(call.row, kind)) &&
	    !(kind == EBT_WITNESS_EXEC && is_witnessed(EBT_ROW_EXEC, kind)))
		return ELSEWHERE;
	scene->ids = bpf_get_current_pid_tgid();
	scene->identity = call_identity(&r);
	scene->stack = FUNCTION_STACK(ctx);
	return is_own_process(scene->ids) ? ELSEWHERE : IN_CALL;
}

INLINE __u64 inode_of_dentry(__u64 dentry)
{
	__u64 inode = 0;
	/* It comes after the name. */
	READ_AT(&inode, dentry + OFFSET(dentry, d_name) + OFFSET(qstr, name) + sizeof(__u64));
	return inode;
}

INLINE void begin_witness(struct witness *w, const struct scene *scene)
{
	w->call = scene->identity;
	w->mount = w->mount_stack = w->hook_stack = w->socket = 0;
	w->length[0] = w->length[1] = 0;
	w->addresses = w->kept = w->taken = 0;
}

/* An entry that is free, or that was left behind: its call's end was not seen. */
INLINE struct witness *claim_witness(__u64 task)
{
	__u32 index = witness_set_of(task) * WITNESS_WAYS;
	__u64 time = bpf_ktime_get_ns();
#pragma clang loop unroll(full)
	for (int i = 0; i < WITNESS_WAYS; i++, index++) {
		struct witness *w = witness_at(index);
		if (!w)
			return 0;
		__u64 age = time - w->time;
		int left = w->task && age > (w->taken ? WITNESS_LEFT_NS : WITNESS_STALE_NS) &&
			   !(age >> 63);
		if (!left) {
			__sync_fetch_and_add(&w->busy, 1);
			if (*(volatile __u64 *)&w->busy != 1) {
				__sync_fetch_and_add(&w->busy, -1);
				continue;
			}
		}
		w->time = time;
		w->task = task;
		w->index = index;
		set_witness_owner(index, task);
		return w;
	}
	return 0;
}

/* The entry of the call at hand, as far as it is filled; a new one where it has none. */
INLINE struct witness *witness_of(const struct scene *scene)
{
	struct witness *w = find_witness(scene->task);
	if (!w) {
		w = claim_witness(scene->task);
		if (!w)
			return 0;
	} else if (w->call == scene->identity && !w->taken) {
		return w;
	}
	begin_witness(w, scene);
	return w;
}

#endif
