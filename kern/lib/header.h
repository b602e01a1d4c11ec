/* SPDX-License-Identifier: GPL-2.0 */
/* The header: who, when, and the call itself. */
#ifndef EBT_LIB_HEADER_H
#define EBT_LIB_HEADER_H

#include "kern/lib/slot.h"
#include "kern/lib/window.h"

INLINE __u64 now(void)
{
	if (HAS_FEATURE(boot_clock))
		return bpf_ktime_get_boot_ns();
	return bpf_ktime_get_ns();
}

/* Nothing is in the record yet but its header. */
INLINE void record_begin(struct scratch *s)
{
	s->header.fields = 0;
	s->position = sizeof(struct ebt_header);
	s->image_whole = 0;
	s->next_record_stage = 0;
	s->has_identity = 0;
	s->vital = 0;
	s->with_image = 1;
	s->phase = 0;
	s->cwd_written = 0;
	s->watched = 1;
	s->screens = 0;
	s->uncertain = 0;
	s->memory_noted = 0;
	s->message = 0;
	s->witness.mode = WITNESS_NONE;
}

/*
 * Starts a record of the caller's, with what costs next to nothing: most go no further
 * than the filter.
 */
INLINE void header_begin(struct claim *claim, __u64 ids, __u8 kind)
{
	struct scratch *s = claim->scratch;
	struct ebt_header *h = &s->header;
	h->version = EBT_RECORD_VERSION;
	h->kind = kind;
	h->abi = NATIVE_ABI;
	h->flags = 0;
	h->cpu = claim->index / EBT_SLOTS;
	h->slot = claim->index % EBT_SLOTS;
	h->missing = 0;
	h->shared = 0;
	h->execution = 0;
	h->tgid = ids >> 32;
	h->tid = ids;
	h->nr = -1;
	h->ret = 0;
	__builtin_memset(h->args, 0, sizeof(h->args));
	record_begin(s);
}

INLINE void read_family(struct scratch *s, __u64 task)
{
	struct task_view *view = &s->task;
	if (IN_WINDOW(task_struct, real_parent, group_leader, 8)) {
		READ_SPAN(s, task, task_struct, real_parent, group_leader, 8);
		view->parent = WINDOW_MEMBER(__u64, s, task_struct, real_parent, real_parent);
		view->leader = WINDOW_MEMBER(__u64, s, task_struct, real_parent, group_leader);
		return;
	}
	view->parent = POINTER(task, task_struct, real_parent);
	view->leader = POINTER(task, task_struct, group_leader);
}

INLINE void read_resources(struct scratch *s, __u64 task)
{
	struct task_view *view = &s->task;
	view->nsproxy = 0;
	if (HAS(task_struct, nsproxy) && IN_WINDOW(task_struct, cred, nsproxy, 8) &&
	    IN_WINDOW(task_struct, cred, files, 8) && IN_WINDOW(task_struct, cred, fs, 8)) {
		READ_SPAN(s, task, task_struct, cred, nsproxy, 8);
		view->cred = WINDOW_MEMBER(__u64, s, task_struct, cred, cred);
		view->fs = WINDOW_MEMBER(__u64, s, task_struct, cred, fs);
		view->files = WINDOW_MEMBER(__u64, s, task_struct, cred, files);
		view->nsproxy = WINDOW_MEMBER(__u64, s, task_struct, cred, nsproxy);
		return;
	}
	if (HAS(task_struct, nsproxy))
		view->nsproxy = POINTER(task, task_struct, nsproxy);
	if (IN_WINDOW(task_struct, cred, files, 8) && IN_WINDOW(task_struct, cred, fs, 8)) {
		READ_SPAN(s, task, task_struct, cred, files, 8);
		view->cred = WINDOW_MEMBER(__u64, s, task_struct, cred, cred);
		view->fs = WINDOW_MEMBER(__u64, s, task_struct, cred, fs);
		view->files = WINDOW_MEMBER(__u64, s, task_struct, cred, files);
		return;
	}
	view->cred = POINTER(task, task_struct, cred);
	view->fs = POINTER(task, task_struct, fs);
	view->files = POINTER(task, task_struct, files);
}

/* With CONFIG_AUDIT and CONFIG_SECCOMP the one's members stand among those of the other. */
#define IS_SECCOMP_AMONG_LOGIN                                                                     \
	(!HAS(task_struct, seccomp_mode) || IN_WINDOW(task_struct, loginuid, seccomp_mode, 4))

INLINE __u32 read_login(struct scratch *s, __u64 task)
{
	struct task_view *view = &s->task;
	__u64 ids = -1; /* loginuid, then sessionid */
	__u32 exec_id = 0, missing = 0;
	view->seccomp = 0;
	if (HAS(task_struct, loginuid) && IN_WINDOW(task_struct, loginuid, self_exec_id, 4) &&
	    IN_WINDOW(task_struct, loginuid, sessionid, 4) && IS_SECCOMP_AMONG_LOGIN) {
		__s64 error = READ_SPAN(s, task, task_struct, loginuid, self_exec_id, 4);
		view->auid = WINDOW_MEMBER(__u32, s, task_struct, loginuid, loginuid);
		view->ses = WINDOW_MEMBER(__u32, s, task_struct, loginuid, sessionid);
		view->exec_id = WINDOW_MEMBER(__u32, s, task_struct, loginuid, self_exec_id);
		if (HAS(task_struct, seccomp_mode))
			view->seccomp =
			    WINDOW_MEMBER(__u32, s, task_struct, loginuid, seccomp_mode);
		return ERROR_BIT(error, EBT_MISSING_AUDIT | EBT_MISSING_EXEC_ID);
	}
	if (HAS(task_struct, seccomp_mode))
		READ(&view->seccomp, task, task_struct, seccomp_mode);
	if (HAS(task_struct, loginuid)) {
		__s64 error = READ(&ids, task, task_struct, loginuid);
		missing |= ERROR_BIT(error, EBT_MISSING_AUDIT);
		if (OFFSET(task_struct, sessionid) != OFFSET(task_struct, loginuid) + 4)
			READ((__u32 *)&ids + 1, task, task_struct, sessionid);
	}
	__s64 error = READ(&exec_id, task, task_struct, self_exec_id);
	view->auid = ids;
	view->ses = ids >> 32;
	view->exec_id = exec_id;
	return missing | ERROR_BIT(error, EBT_MISSING_EXEC_ID);
}

/* Credentials, login and parent: what predicates may compare. */
INLINE void header_identity(struct scratch *s, __u64 task)
{
	struct ebt_header *h = &s->header;
	__u32 missing = read_login(s, task);
	h->auid = s->task.auid;
	h->ses = s->task.ses;
	h->exec_id = s->task.exec_id;

	__u32 ppid = 0;
	read_family(s, task);
	__s64 error = READ(&ppid, s->task.parent, task_struct, tgid);
	missing |= ERROR_BIT(error, EBT_MISSING_PPID);
	h->ppid = ppid;

	read_resources(s, task);
	/* In words of 8 bytes: each load is checked by the kernel. */
	_Static_assert(__builtin_offsetof(struct ebt_header, uid) % 8 == 0, "aligned");
	error = READ_AT((__u64(*)[4]) & h->uid, s->task.cred + OFFSET(cred, uid));
	missing |= ERROR_BIT(error, EBT_MISSING_CREDENTIALS);
	h->missing |= missing;
	s->has_identity = 1;
}

/* The rest of the header, after header_identity. */
INLINE void header_process(struct scratch *s)
{
	struct ebt_header *h = &s->header;
	__u64 start_time = 0;
	h->time = now();
	__s64 error = READ(&start_time, s->task.leader, task_struct, start_boottime);
	h->start_time = start_time;
	h->missing |= ERROR_BIT(error, EBT_MISSING_START_TIME);
	bpf_get_current_comm(h->comm, sizeof(h->comm));
}

INLINE void header_call(struct scratch *s, const struct call *call)
{
	struct ebt_header *h = &s->header;
	h->abi = call->abi;
	h->nr = call->nr;
	h->ret = call->ret;
	h->missing |= call->missing;
	h->shared = call->shared;
	h->execution = call->execution;
	__builtin_memcpy(h->args, call->args, sizeof(h->args));
}

/* What predicates compare; header_identity() comes first where the plan has EBT_PLAN_IDENTITY. */
INLINE void filter_values(struct scratch *s)
{
	const struct ebt_header *h = &s->header;
	__u64 *v = s->values;
	__builtin_memcpy(v, h->args, sizeof(h->args));
	v[EBT_VALUE_RET] = h->ret;
	/* A process that ends succeeds with status 0 alone. */
	v[EBT_VALUE_SUCCESS] =
	    h->kind == EBT_EXIT ? h->ret == 0 : ((__u64)~h->ret) >> 63 & ~(__u64)h->execution >> 2;
	v[EBT_VALUE_UID] = h->uid;
	v[EBT_VALUE_EUID] = h->euid;
	v[EBT_VALUE_AUID] = h->auid;
	v[EBT_VALUE_PID] = h->tgid;
	v[EBT_VALUE_PPID] = h->ppid;
}

#endif
