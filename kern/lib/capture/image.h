/* SPDX-License-Identifier: GPL-2.0 */
/* The image of a process: its executable, terminal, command line and environment. */
#ifndef EBT_LIB_CAPTURE_IMAGE_H
#define EBT_LIB_CAPTURE_IMAGE_H

#include "kern/lib/capture/cgroup.h"
#include "kern/lib/capture/file.h"
#include "kern/lib/emit.h"

#define TTY_NAME_MAX 64

/* Room kept for what follows an image in the record. */
#define AFTER_IMAGE (6 * (EBT_PATH_MAX + 64))

/* Is this the image that the process has, in the namespaces that it is in? */
INLINE int is_image(const struct known_image *image, const struct scratch *s)
{
	return image->start_time == s->header.start_time && image->exec_id == s->header.exec_id &&
	       image->nsproxy == s->task.nsproxy;
}

/* Is user space to be sent the image of this process with the record? */
INLINE int image_unknown(struct scratch *s)
{
	__u32 tgid = s->header.tgid;
	if (tgid == s->last_tgid && is_image(&s->last_image, s))
		return 0;
	const struct known_image *image = bpf_map_lookup_elem(&known_images, &tgid);
	if (!image || !is_image(image, s))
		return 1;
	s->last_tgid = tgid;
	s->last_image.start_time = s->header.start_time;
	s->last_image.exec_id = s->header.exec_id;
	s->last_image.nsproxy = s->task.nsproxy;
	return 0;
}

INLINE void capture_namespaces(struct scratch *s)
{
	if (!HAS(nsproxy, mnt_ns) || !has_room(s, sizeof(struct ebt_namespaces)))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_NAMESPACES, EBT_ARG_NONE);
	struct ebt_namespaces *out = (void *)(field + 1);
	__u64 proxy = s->task.nsproxy;
	__u32 mnt = 0, pid = 0, user = 0;
	if (HAS(mnt_namespace, inum))
		READ(&mnt, POINTER(proxy, nsproxy, mnt_ns), mnt_namespace, inum);
	if (HAS(nsproxy, pid_ns_for_children) && HAS(pid_namespace, inum))
		READ(&pid, POINTER(proxy, nsproxy, pid_ns_for_children), pid_namespace, inum);
	if (HAS(cred, user_ns) && HAS(user_namespace, inum))
		READ(&user, POINTER(s->task.cred, cred, user_ns), user_namespace, inum);
	out->mnt = mnt;
	out->pid = pid;
	out->user = user;
	out->reserved = 0;
	field_end(s, field, EBT_OK, sizeof(*out), sizeof(*out));
}

INLINE void capture_capabilities(struct scratch *s)
{
	if (!HAS(cred, cap_permitted) || !has_room(s, sizeof(struct ebt_capabilities)))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_CAPABILITIES, EBT_ARG_NONE);
	__s64 error = READ_AT((struct ebt_capabilities *)(field + 1),
			      s->task.cred + OFFSET(cred, cap_permitted));
	__u32 bytes = error ? 0 : sizeof(struct ebt_capabilities);
	field_end(s, field, error ? EBT_FAULT : EBT_OK, bytes, bytes);
}

/* Which content the executable has, so that user space knows its hash from before. */
INLINE void capture_exe_version(struct scratch *s, __u64 mm)
{
	if (!HAS(inode, i_size) || !HAS(inode, i_ctime_sec) || !HAS(inode, i_ctime_nsec) ||
	    !HAS(super_block, s_dev) || !has_room(s, sizeof(struct ebt_file_version)))
		return;
	struct ebt_file_version version = {};
	__u64 inode = POINTER(POINTER(mm, mm_struct, exe_file), file, f_inode);
	READ(&version.size, inode, inode, i_size);
	READ(&version.changed_s, inode, inode, i_ctime_sec);
	READ(&version.changed_ns, inode, inode, i_ctime_nsec);
	version.device = device_of(POINTER(inode, inode, i_sb));
	struct ebt_field *field = field_begin(s, EBT_FIELD_EXE_VERSION, EBT_ARG_NONE);
	*(struct ebt_file_version *)(field + 1) = version;
	field_end(s, field, EBT_OK, sizeof(version), sizeof(version));
}

INLINE void capture_tty(struct scratch *s, __u64 task)
{
	__u64 tty = POINTER(POINTER(task, task_struct, signal), signal_struct, tty);
	if (!tty || !has_room(s, TTY_NAME_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_TTY, EBT_ARG_NONE);
	__s64 length = forget_range(
	    &s->string_result, bpf_probe_read_kernel_str(field + 1, TTY_NAME_MAX,
							 (void *)(tty + OFFSET(tty_struct, name))));
	if (length > 0)
		field_end(s, field, EBT_OK, (length - 1) & (TTY_NAME_MAX - 1),
			  (length - 1) & (TTY_NAME_MAX - 1));
	else
		field_end(s, field, EBT_FAULT, 0, 0);
}

/* How many bytes of strings the record takes now; fewer than wanted where more is to come. */
INLINE __u64 image_room(const struct scratch *s, const struct ebt_plan *plan)
{
	__u64 taken = s->position + sizeof(struct ebt_field) + AFTER_IMAGE;
	if ((plan->flags & EBT_PLAN_EXEC) && !s->step_list)
		taken += EBT_ARGV_MAX;
	__u64 limit = taken < EBT_RECORD_MAX ? EBT_RECORD_MAX - taken : 0;
	return limit < EBT_ARGV_MAX ? limit : EBT_ARGV_MAX;
}

/* Strings as the process's memory has them now, from `start` to `end`. */
INLINE void capture_range(struct scratch *s, struct ebt_field *field, __u64 start, __u64 end,
			  __u64 limit)
{
	__u64 original = end - start;
	if (!start || end <= start || original >> 32) {
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	__u64 length = original < limit ? original : limit;
	__u64 at = s->position + sizeof(*field);
	__u64 read = length;
	if (!length ||
	    bpf_probe_read_user(record_at(s, at), bounded(length, EBT_ARGV_MAX), (void *)start))
		read = read_user_pages(s, at, start, length);
	__u8 status = read < length ? EBT_FAULT : read < original ? EBT_TRUNCATED : EBT_OK;
	field_end(s, field, status, read & RECORD_MASK, original);
}

INLINE void capture_image_argv(struct scratch *s, __u64 mm, const struct ebt_plan *plan)
{
	if (!has_room(s, 0))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_IMAGE_ARGV, EBT_ARG_NONE);
	capture_range(s, field, POINTER(mm, mm_struct, arg_start), POINTER(mm, mm_struct, arg_end),
		      image_room(s, plan));
	/* Cut for lack of room, not for good: send it again with the next event. */
	s->image_whole = field->status == EBT_OK || field->length == EBT_ARGV_MAX;
}

INLINE enum outcome capture_exe(struct scratch *s, __u64 task)
{
	__u64 mm = POINTER(task, task_struct, mm);
	s->header.flags |= EBT_IMAGE;
	return capture_file(s, EBT_FIELD_EXE, EBT_ARG_NONE, POINTER(mm, mm_struct, exe_file));
}

/* Is the image that of an exec that has just succeeded? */
INLINE int has_executed(const struct scratch *s, const struct ebt_plan *plan)
{
	return s->header.kind == EBT_EXEC || ((plan->flags & EBT_PLAN_EXEC) && s->step_list);
}

INLINE void capture_environment(struct scratch *s, __u64 mm, const struct ebt_plan *plan)
{
	if (!HAS(mm_struct, env_start) || !HAS(mm_struct, env_end) || !has_room(s, 0))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_ENVIRONMENT, EBT_ARG_NONE);
	capture_range(s, field, POINTER(mm, mm_struct, env_start), POINTER(mm, mm_struct, env_end),
		      image_room(s, plan));
	/*
	 * Cut in favour of the arguments of an exec that failed, it is sent again. Cut since the
	 * command line is long, it is not: that would be so of each event of the process.
	 */
	if (field->status == EBT_TRUNCATED && (plan->flags & EBT_PLAN_EXEC) && !s->step_list)
		s->image_whole = 0;
}

/* The kernel puts the name on the new stack before all else: the environment ends there. */
INLINE void capture_exec_name(struct scratch *s, __u64 mm)
{
	if (HAS(mm_struct, env_end))
		capture_string_at(s, POINTER(mm, mm_struct, env_end), EBT_FIELD_EXEC_NAME,
				  EBT_ARG_NONE);
}

INLINE void capture_image(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	__u64 mm = POINTER(task, task_struct, mm);
	capture_tty(s, task);
	capture_namespaces(s);
	capture_capabilities(s);
	capture_cgroups(s, task);
	if (HAS_FEATURE(exe_version))
		capture_exe_version(s, mm);
	capture_image_argv(s, mm, plan);
	if (HAS_FEATURE(environment))
		capture_environment(s, mm, plan);
	if (has_executed(s, plan))
		capture_exec_name(s, mm);
}

/* The stage: what there is of an image besides its executable. */
INLINE void run_image(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	__u32 row = claim.scratch->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (plan)
		capture_image(claim.scratch, bpf_get_current_task(), plan);
	continue_in(ctx, &claim, STAGE_CAPTURE);
}

#endif
