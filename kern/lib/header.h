/* SPDX-License-Identifier: GPL-2.0 */
/* The header: who, when, and the call itself. */
#ifndef EBT_LIB_HEADER_H
#define EBT_LIB_HEADER_H

#include "slot.h"
#include "tier.h"

#define TS_COMPAT 2

/* A system call as it came in. */
struct call {
	__s32 nr;
	__u32 abi;
	__u32 row;
	__u32 missing;
	__s64 ret;
	__u64 args[EBT_ARGS];
};

INLINE __u64 now(void)
{
	if (HAS_FEATURE(boot_clock))
		return bpf_ktime_get_boot_ns();
	return bpf_ktime_get_ns();
}

/* Is the current system call one of the 32-bit interface? 0, 1, or negative when unreadable. */
INLINE int is_compat(__u64 task)
{
	__u32 status = 0;
	if (!HAS(task_struct, status))
		return 0;
	if (READ(&status, task, task_struct, status))
		return -1;
	return (status & TS_COMPAT) != 0;
}

INLINE void call_arguments(struct call *call, __u64 registers)
{
	struct registers r;
	if (bpf_probe_read_kernel(&r, sizeof(r), (void *)registers)) {
		call->missing |= EBT_MISSING_ARGS;
		__builtin_memset(call->args, 0, sizeof(call->args));
		return;
	}
	if (call->abi == EBT_I386) {
		call->args[0] = r.bx;
		call->args[1] = r.cx;
		call->args[2] = r.dx;
		call->args[3] = r.si;
		call->args[4] = r.di;
		call->args[5] = r.bp;
	} else {
		call->args[0] = r.di;
		call->args[1] = r.si;
		call->args[2] = r.dx;
		call->args[3] = r.r10;
		call->args[4] = r.r8;
		call->args[5] = r.r9;
	}
}

/* Starts a record of the caller's. What filters may ask for comes later, in header_who. */
INLINE void header_begin(struct claim *claim, __u64 task, __u8 kind)
{
	struct scratch *s = claim->scratch;
	struct ebt_header *h = &s->header;
	__u64 ids = bpf_get_current_pid_tgid();
	h->version = EBT_RECORD_VERSION;
	h->kind = kind;
	h->abi = EBT_X86_64;
	h->flags = 0;
	h->cpu = claim->index / EBT_SLOTS;
	h->slot = claim->index % EBT_SLOTS;
	h->missing = 0;
	h->time = now();
	h->tgid = ids >> 32;
	h->tid = ids;
	h->nr = -1;
	h->fields = 0;
	h->ret = 0;
	__builtin_memset(h->args, 0, sizeof(h->args));
	s->position = sizeof(struct ebt_header);
	s->image_whole = 0;
	s->then_exit = 0;
	s->who_known = 0;
	s->with_image = 1;
	s->phase = 0;
	s->cwd_told = 0;
}

/* Credentials, login and parent: what predicates may compare. */
INLINE void header_who(struct scratch *s, __u64 task)
{
	struct ebt_header *h = &s->header;
	__u32 missing = 0;
	__u32 ppid = 0, auid = -1, ses = -1;
	__u64 parent = POINTER(task, task_struct, real_parent);
	__s64 error = READ(&ppid, parent, task_struct, tgid);
	missing |= ERROR_BIT(error, EBT_MISSING_PPID);
	h->ppid = ppid;

	if (HAS(task_struct, loginuid)) {
		error = READ(&auid, task, task_struct, loginuid);
		missing |= ERROR_BIT(error, EBT_MISSING_AUDIT);
		READ(&ses, task, task_struct, sessionid);
	}
	h->auid = auid;
	h->ses = ses;

	__u64 cred = POINTER(task, task_struct, cred);
	error =
	    bpf_probe_read_kernel(&h->uid, 8 * sizeof(__u32), (void *)(cred + OFFSET(cred, uid)));
	missing |= ERROR_BIT(error, EBT_MISSING_CREDENTIALS);
	h->missing |= missing;
	s->who_known = 1;
}

/* The rest of the header. */
INLINE void header_process(struct scratch *s, __u64 task)
{
	struct ebt_header *h = &s->header;
	__u32 missing = 0;
	__u64 start_time = 0;
	__u32 exec_id = 0;
	__u64 leader = POINTER(task, task_struct, group_leader);
	__s64 error = READ(&start_time, leader, task_struct, start_boottime);
	missing |= ERROR_BIT(error, EBT_MISSING_START_TIME);
	h->start_time = start_time;
	error = READ(&exec_id, task, task_struct, self_exec_id);
	missing |= ERROR_BIT(error, EBT_MISSING_EXEC_ID);
	h->exec_id = exec_id;
	bpf_get_current_comm(h->comm, sizeof(h->comm));
	h->missing |= missing;
}

INLINE void header_call(struct scratch *s, const struct call *call)
{
	struct ebt_header *h = &s->header;
	h->abi = call->abi;
	h->nr = call->nr;
	h->ret = call->ret;
	h->missing |= call->missing;
	__builtin_memcpy(h->args, call->args, sizeof(h->args));
}

/* What predicates compare; header_who first, where the plan asks for it. */
INLINE void filter_values(struct scratch *s)
{
	const struct ebt_header *h = &s->header;
	__u64 *v = s->values;
	__builtin_memcpy(v, h->args, sizeof(h->args));
	v[EBT_VALUE_RET] = h->ret;
	/* A process that ends succeeds with status 0 alone. */
	v[EBT_VALUE_SUCCESS] = h->kind == EBT_EXIT ? h->ret == 0 : ((__u64)~h->ret) >> 63;
	v[EBT_VALUE_UID] = h->uid;
	v[EBT_VALUE_EUID] = h->euid;
	v[EBT_VALUE_AUID] = h->auid;
	v[EBT_VALUE_PID] = h->tgid;
	v[EBT_VALUE_PPID] = h->ppid;
}

#endif
