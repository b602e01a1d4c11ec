/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What another thread or process could have changed during a call. Whoever shares descriptors,
 * working directory or memory with the caller is counted at the end of the call, where the
 * record is written; one that shared them and has ended by then, or shares no more, has left a
 * mark: it was set when that one was made, and lasts until a call of the process ends that has
 * all for itself. Whoever never shares anything has no mark. Of processes that had several threads
 * when capture began, user space sets it.
 */
#ifndef EBT_LIB_SHARING_H
#define EBT_LIB_SHARING_H

#include "kern/lib/header.h"
#include "kern/base/uapi.h"

/* Are the users of all that may be shared counted on this kernel? Else no mark would ever end. */
#define COUNTS_USERS (HAS(files_struct, count) && HAS(fs_struct, users) && HAS(mm_struct, mm_users))

/* What the two tasks have the same of. The kernel's own threads have no memory. */
#define SAME(a, b, member, bit)                                                                    \
	(POINTER(a, task_struct, member) == POINTER(b, task_struct, member) ? (bit) : 0)

INLINE __u64 shared_by(__u64 task, __u64 child)
{
	return SAME(task, child, files, EBT_SHARED_FILES) | SAME(task, child, fs, EBT_SHARED_FS) |
	       SAME(task, child, mm, EBT_SHARED_MEMORY);
}

/*
 * Is the process that the caller is making one that it waits for (vfork, posix_spawn) until that
 * has memory and descriptors of its own? clone3's flags are in memory, from which the kernel has
 * just read them.
 */
INLINE int waits_for_child(__u64 task)
{
	__u64 registers = task_registers(task), flags = 0;
	struct call call = {};
	identify_call(&call, task, registers_number(registers));
	call_arguments(&call, registers);
	if (call.nr == (call.abi == EBT_COMPAT_ABI ? NR_COMPAT_VFORK : NR_VFORK))
		return 1;
	if (call.nr == NR_CLONE3)
		bpf_probe_read_user(&flags, sizeof(flags), user(call.args[0]));
	else if (call.nr == (call.abi == EBT_COMPAT_ABI ? NR_COMPAT_CLONE : NR_CLONE))
		flags = call.args[0];
	return (flags & CLONE_VFORK) != 0;
}

/* Is it of this very process? A tgid may be another's later. */
INLINE int is_of(const struct ebt_sharing *known, __u64 start_time)
{
	return known->what & EBT_SHARED_EARLIER ? start_time <= known->start_time
						: start_time == known->start_time;
}

/* How many marks have been made; it counts after the mark is there. */
INLINE __u64 *marks_made(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&sharing_marks, &zero);
}

INLINE void mark_sharing(__u32 tgid, __u64 start_time, __u64 what)
{
	struct ebt_sharing *known = bpf_map_lookup_elem(&sharings, &tgid);
	if (known && is_of(known, start_time)) {
		known->what |= what;
	} else {
		struct ebt_sharing first = {.start_time = start_time, .what = what};
		bpf_map_update_elem(&sharings, &tgid, &first, BPF_ANY);
	}
	__u64 *marks = marks_made();
	if (marks)
		__sync_fetch_and_add(marks, 1);
}

/* Had this process no mark when it was looked for last, and has none been made since? */
INLINE int is_unmarked(const struct unmarked_process *last, const struct scratch *s, __u64 marks)
{
	return last->tgid == s->header.tgid && last->start_time == s->header.start_time &&
	       last->marks == marks;
}

/*
 * The mark of the caller's process, if it has one. Most have none, and to look for it costs more
 * than all else that is read of who shares what: so it is looked for again only after marks have
 * been made.
 */
INLINE struct ebt_sharing *find_mark(struct scratch *s)
{
	__u32 tgid = s->header.tgid;
	const __u64 *made = marks_made();
	__u64 marks = made ? *(const volatile __u64 *)made : 0;
	if (is_unmarked(&s->unmarked, s, marks))
		return 0;
	struct ebt_sharing *mark = bpf_map_lookup_elem(&sharings, &tgid);
	if (mark && mark->what && is_of(mark, s->header.start_time))
		return mark;
	s->unmarked.tgid = tgid;
	s->unmarked.start_time = s->header.start_time;
	s->unmarked.marks = marks;
	return 0;
}

/*
 * At the start of a thread or process. Classic tracepoints do not lead to the task of a thread:
 * then `child` is 0, and there are several threads alive.
 */
INLINE void note_sharing(__u64 task, __u64 child)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, child_tgid = tgid, live = 0;
	__u64 what = 0, start_time = 0;
	if (!COUNTS_USERS || !POINTER(task, task_struct, mm))
		return;
	if (child) {
		READ(&child_tgid, child, task_struct, tgid);
		what = shared_by(task, child);
	} else {
		READ(&live, POINTER(task, task_struct, signal), signal_struct, live);
		if (live > 1)
			what = EBT_SHARED_FILES | EBT_SHARED_FS | EBT_SHARED_MEMORY;
	}
	if (what && child_tgid != tgid && waits_for_child(task))
		what &= EBT_SHARED_FS; /* which an exec leaves as it is */
	if (!what)
		return;
	READ(&start_time, POINTER(task, task_struct, group_leader), task_struct, start_boottime);
	mark_sharing(tgid, start_time, what);
	if (child_tgid == tgid)
		return;
	READ(&start_time, child, task_struct, start_boottime);
	mark_sharing(child_tgid, start_time, what);
}

/* At the end of a call: marks its record, and takes back the mark of what is shared no more. */
INLINE void note_past_sharing(struct scratch *s, __u64 task)
{
#ifndef TIER_KPROBE
	__u32 files = 0, fs = 0, memory = 0;
	if (!COUNTS_USERS || (s->header.kind != EBT_SYSCALL && s->header.kind != EBT_TRANSFER))
		return;
	struct ebt_sharing *past = find_mark(s);
	if (!past)
		return;
	s->header.shared |= past->what & EBT_SHARED_ALL;
	READ(&files, s->task.files, files_struct, count);
	READ(&fs, s->task.fs, fs_struct, users);
	READ(&memory, POINTER(task, task_struct, mm), mm_struct, mm_users);
	/* What comes is another record of the same call. */
	if (s->next_record_stage != STAGE_CALL)
		past->what &= EBT_SHARED_EARLIER | (files > 1 ? EBT_SHARED_FILES : 0) |
			      (fs > 1 ? EBT_SHARED_FS : 0) | (memory > 1 ? EBT_SHARED_MEMORY : 0);
#endif
}

#endif
