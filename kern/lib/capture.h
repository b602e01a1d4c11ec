/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filling a record: first what belongs to the process, then what the plan of the
 * call asks for. There is one piece of code per kind of capture, none per call.
 */
#ifndef EBT_LIB_CAPTURE_H
#define EBT_LIB_CAPTURE_H

#include "kern/lib/emit.h"
#include "kern/lib/field.h"
#include "kern/lib/header.h"
#include "kern/lib/walk.h"

/* What is captured next: s->phase. */
enum phase {
	PHASE_BEGIN = 0,
	PHASE_EXE = 1,
	PHASE_IMAGE = 2,
	PHASE_CWD = 3,
	PHASE_ROOT = 4,
	PHASE_STEPS = 5, /* plus the index of the step */
};

/* What a capture asks of the stage that runs it. */
enum outcome {
	NEXT = 0,    /* done: on to the next */
	WALK = 1,    /* the walker is aimed */
	STRINGS = 2, /* the cursor stands at an argument vector */
};

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define AT_FDCWD -100
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCKADDR_MAX 128 /* sizeof(struct sockaddr_storage) */
#define TTY_NAME_MAX 64

/* Room kept for what follows an image's command line in the record. */
#define AFTER_IMAGE (6 * (EBT_PATH_MAX + 64))

/*
 * What a string helper returned, as a number that the verifier knows nothing of. Those of
 * 4.18 to 5.6 take it for a length, never an error: they remove the code that asks for
 * errors, or make of it a loop without end, in which the kernel hangs.
 */
INLINE __s64 unsure(__s64 *in_memory, __s64 result)
{
	*(volatile __s64 *)in_memory = result;
	return *(volatile __s64 *)in_memory;
}

/* The file behind a descriptor of the caller's; 0 when there is none. */
INLINE __u64 file_of(struct scratch *s, __s64 fd)
{
	__u32 max_fds = 0;
	__u64 file = 0;
	__u64 fdt = POINTER(s->task.files, files_struct, fdt);
	__u64 table = 0;
	if (IN_WINDOW(fdtable, max_fds, fd, 8)) {
		READ_SPAN(s, fdt, fdtable, max_fds, fd, 8);
		max_fds = WINDOW_MEMBER(__u32, s, fdtable, max_fds, max_fds);
		table = WINDOW_MEMBER(__u64, s, fdtable, max_fds, fd);
	} else {
		READ(&max_fds, fdt, fdtable, max_fds);
		table = POINTER(fdt, fdtable, fd);
	}
	if ((__u64)fd >= max_fds)
		return 0;
	READ_AT(&file, table + fd * sizeof(file));
	return file;
}

INLINE int is_image(const struct known_image *image, const struct ebt_header *header)
{
	return image->start_time == header->start_time && image->exec_id == header->exec_id;
}

/* Is user space to be sent the image of this process with the record? */
INLINE int image_unknown(struct scratch *s)
{
	__u32 tgid = s->header.tgid;
	if (tgid == s->last_tgid && is_image(&s->last_image, &s->header))
		return 0;
	const struct known_image *image = bpf_map_lookup_elem(&known, &tgid);
	if (!image || !is_image(image, &s->header))
		return 1;
	s->last_tgid = tgid;
	s->last_image.start_time = s->header.start_time;
	s->last_image.exec_id = s->header.exec_id;
	return 0;
}

/* Where the caller's root and cwd are; without a dentry: nowhere. */
INLINE void view_places(struct scratch *s)
{
	__u64 fs = s->task.fs, mount = 0, dentry = 0;
	s->root_mount = s->root_dentry = s->pwd_mount = s->pwd_dentry = 0;
	if (!fs)
		return;
	if (IN_WINDOW(fs_struct, root, pwd, 16)) {
		READ_SPAN(s, fs, fs_struct, root, pwd, 16);
		const __u8 *root = (void *)s->window;
		const __u8 *pwd = root + (OFFSET(fs_struct, pwd) - OFFSET(fs_struct, root));
		s->root_mount = *(__u64 *)(root + OFFSET(path, mnt)) - OFFSET(mount, mnt);
		s->root_dentry = *(__u64 *)(root + OFFSET(path, dentry));
		s->pwd_mount = *(__u64 *)(pwd + OFFSET(path, mnt)) - OFFSET(mount, mnt);
		s->pwd_dentry = *(__u64 *)(pwd + OFFSET(path, dentry));
		return;
	}
	if (read_path(fs + OFFSET(fs_struct, root), &mount, &dentry)) {
		s->root_mount = mount;
		s->root_dentry = dentry;
	}
	mount = dentry = 0;
	read_path(fs + OFFSET(fs_struct, pwd), &mount, &dentry);
	s->pwd_mount = mount;
	s->pwd_dentry = dentry;
}

/* Completes the header and finds root and cwd of the caller, which every path needs. */
INLINE void capture_begin(struct scratch *s, __u64 task)
{
	if (!s->who_known)
		header_who(s, task);
	header_process(s);
	s->chrooted = 0;
	s->top_mount = 0;
	s->walker.mount = 0;
	view_places(s);
	if (s->root_dentry)
		s->chrooted = scan_root(s, s->root_mount, s->root_dentry);
	s->phase = s->with_image && image_unknown(s) ? PHASE_EXE : PHASE_CWD;
	/* After a mere check the caller's memory is still there, as after a failure. */
	s->list = s->header.ret >= 0 && !(s->header.flags & EBT_CHECKED);
}

/* A path field without an inode in front: cwd, root, directory. */
INLINE enum outcome capture_place(struct scratch *s, __u8 kind, __u8 arg, __u64 mount, __u64 dentry)
{
	if (!dentry) {
		field_missing(s, kind, arg, EBT_UNAVAILABLE);
		return NEXT;
	}
	if (!has_room(s, EBT_PATH_MAX))
		return NEXT;
	walk_begin(s, field_begin(s, kind, arg), mount, dentry, 0);
	return WALK;
}

INLINE void read_inode(struct scratch *s, struct ebt_inode *out, __u64 inode)
{
	__u16 mode = 0;
	__u32 uid = 0, gid = 0;
	__u64 ino = 0;
	if (IN_WINDOW(inode, i_mode, i_ino, 8) && IN_WINDOW(inode, i_mode, i_uid, 4) &&
	    IN_WINDOW(inode, i_mode, i_gid, 4)) {
		READ_SPAN(s, inode, inode, i_mode, i_ino, 8);
		mode = WINDOW_MEMBER(__u16, s, inode, i_mode, i_mode);
		uid = WINDOW_MEMBER(__u32, s, inode, i_mode, i_uid);
		gid = WINDOW_MEMBER(__u32, s, inode, i_mode, i_gid);
		ino = WINDOW_MEMBER(__u64, s, inode, i_mode, i_ino);
	} else {
		READ(&mode, inode, inode, i_mode);
		READ(&uid, inode, inode, i_uid);
		READ(&gid, inode, inode, i_gid);
		READ(&ino, inode, inode, i_ino);
	}
	out->ino = ino;
	out->magic = 0;
	out->mode = mode;
	out->uid = uid;
	out->gid = gid;
}

/* Where an open file is, and its inode. */
INLINE int read_file(struct scratch *s, __u64 file, __u64 *mount, __u64 *dentry, __u64 *inode)
{
	/* f_inode comes before f_path since 6.12. */
	if (IN_WINDOW(file, f_inode, f_path, 16)) {
		READ_SPAN(s, file, file, f_inode, f_path, 16);
		const __u8 *path =
		    (__u8 *)s->window + (OFFSET(file, f_path) - OFFSET(file, f_inode));
		*inode = s->window[0];
		*mount = *(__u64 *)(path + OFFSET(path, mnt)) - OFFSET(mount, mnt);
		*dentry = *(__u64 *)(path + OFFSET(path, dentry));
		return *dentry != 0;
	}
	*inode = POINTER(file, file, f_inode);
	return read_path(file + OFFSET(file, f_path), mount, dentry);
}

/* A path field with its inode in front: an executable or an open file. */
INLINE enum outcome capture_file(struct scratch *s, __u8 kind, __u8 arg, __u64 file)
{
	__u64 mount = 0, dentry = 0, inode = 0;
	if (!file || !read_file(s, file, &mount, &dentry, &inode)) {
		field_missing(s, kind, arg, EBT_UNAVAILABLE);
		return NEXT;
	}
	if (!has_room(s, sizeof(struct ebt_inode) + EBT_PATH_MAX))
		return NEXT;
	struct ebt_field *field = field_begin(s, kind, arg);
	read_inode(s, (void *)(field + 1), inode);
	walk_begin(s, field, mount, dentry, inode);
	return WALK;
}

INLINE void capture_tty(struct scratch *s, __u64 task)
{
	__u64 tty = POINTER(POINTER(task, task_struct, signal), signal_struct, tty);
	if (!tty || !has_room(s, TTY_NAME_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_TTY, EBT_ARG_NONE);
	__s64 length = unsure(&s->string_result,
			      bpf_probe_read_kernel_str(field + 1, TTY_NAME_MAX,
							(void *)(tty + OFFSET(tty_struct, name))));
	if (length > 0)
		field_end(s, field, EBT_OK, (length - 1) & (TTY_NAME_MAX - 1),
			  (length - 1) & (TTY_NAME_MAX - 1));
	else
		field_end(s, field, EBT_FAULT, 0, 0);
}

#define PAGE_SIZE 4096
#define ARGV_PAGES (EBT_ARGV_MAX / PAGE_SIZE + 1)

/* Reads a range of user memory page by page, up to the first page that is not there. */
INLINE __u32 read_user_pages(struct scratch *s, __u64 at, __u64 from, __u64 length)
{
	__u64 done = 0;
	TIER_LOOP
	for (int i = 0; i < ARGV_PAGES; i++) {
		OPAQUE(length); /* else the compiler keeps the loop */
		if (done >= length)
			break;
		__u64 chunk = PAGE_SIZE - ((from + done) & (PAGE_SIZE - 1));
		if (chunk > length - done)
			chunk = length - done;
		if (bpf_probe_read_user(record_at(s, at + done), bounded(chunk, PAGE_SIZE),
					(void *)(from + done)))
			break;
		done += chunk;
	}
	return done;
}

/* How much of a command line the record takes now; fewer than wanted where more is to come. */
INLINE __u64 image_argv_limit(const struct scratch *s, const struct ebt_plan *plan)
{
	__u64 taken = s->position + sizeof(struct ebt_field) + AFTER_IMAGE;
	if ((plan->flags & EBT_PLAN_EXEC) && (s->header.ret < 0 || s->header.flags & EBT_CHECKED))
		taken += EBT_ARGV_MAX;
	__u64 limit = taken < EBT_RECORD_MAX ? EBT_RECORD_MAX - taken : 0;
	return limit < EBT_ARGV_MAX ? limit : EBT_ARGV_MAX;
}

/* The command line as the process's memory has it now. */
INLINE void capture_image_argv(struct scratch *s, __u64 mm, const struct ebt_plan *plan)
{
	__u64 start = POINTER(mm, mm_struct, arg_start);
	__u64 end = POINTER(mm, mm_struct, arg_end);
	__u64 original = end - start;
	if (!has_room(s, 0))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_IMAGE_ARGV, EBT_ARG_NONE);
	if (!start || end <= start || original >> 32) {
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	__u64 limit = image_argv_limit(s, plan);
	__u64 length = original < limit ? original : limit;
	__u64 at = s->position + sizeof(*field);
	__u64 read = length;
	if (!length ||
	    bpf_probe_read_user(record_at(s, at), bounded(length, EBT_ARGV_MAX), (void *)start))
		read = read_user_pages(s, at, start, length);
	__u8 status = read < length ? EBT_FAULT : read < original ? EBT_TRUNCATED : EBT_OK;
	/* Cut for lack of room, not for good: send it again with the next event. */
	s->image_whole = status == EBT_OK || read == EBT_ARGV_MAX;
	field_end(s, field, status, read & RECORD_MASK, original);
}

INLINE enum outcome capture_exe(struct scratch *s, __u64 task)
{
	__u64 mm = POINTER(task, task_struct, mm);
	s->header.flags |= EBT_IMAGE;
	return capture_file(s, EBT_FIELD_EXE, EBT_ARG_NONE, POINTER(mm, mm_struct, exe_file));
}

INLINE void capture_image(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	__u64 mm = POINTER(task, task_struct, mm);
	capture_tty(s, task);
	capture_image_argv(s, mm, plan);
}

/*
 * Reads a string of the caller's into a field; returns its first byte, 0 for an empty
 * string or none, '/' where it cannot be told.
 */
INLINE __u8 capture_string(struct scratch *s, __u8 arg)
{
	__u64 pointer = s->values[arg & (EBT_VALUES - 1)];
	if (!has_room(s, EBT_PATH_MAX))
		return '/';
	struct ebt_field *field = field_begin(s, EBT_FIELD_STRING, arg);
	field->flags = EBT_USER_MEMORY;
	if (!pointer) {
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return 0;
	}
	__u8 *text = (void *)(field + 1);
	__s64 length =
	    unsure(&s->string_result, bpf_probe_read_user_str(text, EBT_PATH_MAX, user(pointer)));
	if (length < 0) {
		field_end(s, field, EBT_FAULT, 0, 0);
		return '/';
	}
	length += !length; /* 0 is what 5.10 to 6.x say of an empty string */
	__u32 bytes = (length - 1) & (EBT_PATH_MAX - 1);
	__u8 first = *text, last = 1;
	/* A string that fills the room may go on: is the byte after it its end? */
	if (bytes == EBT_PATH_MAX - 1)
		bpf_probe_read_user(&last, 1, user(pointer + EBT_PATH_MAX - 1));
	else
		last = 0;
	if (last)
		field->flags |= EBT_AT_LEAST;
	field_end(s, field, last ? EBT_TRUNCATED : EBT_OK, bytes, bytes + (last != 0));
	return bytes ? first : 0;
}

/* A path in user memory, and the directory it starts from when that is not the cwd. */
INLINE enum outcome capture_path(struct scratch *s, __u64 task, const struct ebt_step *step)
{
	__u8 first = capture_string(s, step->arg);
	if (first == '/' || step->link >= EBT_ARGS)
		return NEXT;
	__s32 dirfd = s->values[step->link & 7];
	if (dirfd == AT_FDCWD)
		return NEXT;
	__u64 file = file_of(s, dirfd), mount = 0, dentry = 0;
	if (file)
		read_path(file + OFFSET(file, f_path), &mount, &dentry);
	return capture_place(s, EBT_FIELD_DIR, step->arg, mount, dentry);
}

INLINE void capture_address(struct scratch *s, __u8 arg, __u64 pointer, __u64 length)
{
	if (!has_room(s, SOCKADDR_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKADDR, arg);
	field->flags = EBT_USER_MEMORY;
	__u64 bytes = length < SOCKADDR_MAX ? length : SOCKADDR_MAX;
	if (!pointer || !bytes) {
		/* No address is given: not an error, there is nothing to tell. */
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	if (bpf_probe_read_user(field + 1, bounded(bytes, SOCKADDR_MAX), user(pointer)))
		field_end(s, field, EBT_FAULT, 0, 0);
	else
		field_end(s, field, length > bytes ? EBT_TRUNCATED : EBT_OK, bytes, length);
}

INLINE void capture_sockaddr(struct scratch *s, const struct ebt_step *step)
{
	__u64 pointer = s->values[step->arg & 7];
	__u64 link = s->values[step->link & 7];
	__u32 length = link;
	if (step->capture == EBT_CAPTURE_SOCKADDR_OUT) {
		length = 0;
		bpf_probe_read_user(&length, sizeof(length), user(link));
	}
	if (pointer)
		capture_address(s, step->arg, pointer, length);
}

/* msg_name and msg_namelen stand first in struct msghdr, in both widths. */
INLINE void capture_msghdr(struct scratch *s, const struct ebt_step *step)
{
	struct {
		__u64 name;
		__u32 length;
		__u32 padding;
	} wide = {};
	struct {
		__u32 name;
		__u32 length;
	} narrow = {};
	void *pointer = user(s->values[step->arg & 7]);
	if (s->header.abi == EBT_X86_64) {
		if (bpf_probe_read_user(&wide, sizeof(wide), pointer))
			field_missing(s, EBT_FIELD_SOCKADDR, step->arg, EBT_FAULT);
	} else {
		if (bpf_probe_read_user(&narrow, sizeof(narrow), pointer))
			field_missing(s, EBT_FIELD_SOCKADDR, step->arg, EBT_FAULT);
		wide.name = narrow.name;
		wide.length = narrow.length;
	}
	if (wide.name && wide.length)
		capture_address(s, step->arg, wide.name, wide.length);
}

/* The kernel's side of a socket, of this type. */
INLINE void read_sock(struct ebt_socket *out, __u64 sk, __u16 type)
{
	__u16 family = 0, local_port = 0, remote_port = 0;
	__u8 protocol = 0;
	READ(&family, sk, sock, skc_family);
	READ(&protocol, sk, sock, sk_protocol);
	__builtin_memset(out, 0, sizeof(*out));
	out->family = family;
	out->type = type;
	out->protocol = protocol;
	if (family != AF_INET && family != AF_INET6)
		return;
	READ(&local_port, sk, sock, skc_num);
	READ(&remote_port, sk, sock, skc_dport);
	out->local_port = local_port;
	out->remote_port = (remote_port >> 8 | remote_port << 8) & 0xffff;
	if (family == AF_INET) {
		READ((__u32 *)out->local, sk, sock, skc_rcv_saddr);
		READ((__u32 *)out->remote, sk, sock, skc_daddr);
	} else if (HAS(sock, skc_v6_daddr)) {
		READ(&out->local, sk, sock, skc_v6_rcv_saddr);
		READ(&out->remote, sk, sock, skc_v6_daddr);
	}
}

INLINE void read_socket(struct ebt_socket *out, __u64 socket)
{
	__u16 type = 0;
	READ(&type, socket, socket, type);
	read_sock(out, POINTER(socket, socket, sk), type);
}

/* Both ends of a socket, as the kernel knows them. */
INLINE void capture_socket(struct scratch *s, __u64 task, const struct ebt_step *step)
{
	__u64 file = file_of(s, (__s32)s->values[step->arg & 7]);
	__u16 mode = 0;
	READ(&mode, POINTER(file, file, f_inode), inode, i_mode);
	if (!file || (mode & S_IFMT) != S_IFSOCK) {
		field_missing(s, EBT_FIELD_SOCKET, step->arg, EBT_UNAVAILABLE);
		return;
	}
	if (!has_room(s, sizeof(struct ebt_socket)))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, step->arg);
	read_socket((void *)(field + 1), POINTER(file, file, private_data));
	field_end(s, field, EBT_OK, sizeof(struct ebt_socket), sizeof(struct ebt_socket));
}

/* Aims the cursor at an argument vector in user memory. */
INLINE enum outcome capture_argv(struct scratch *s, const struct ebt_step *step)
{
	struct argv_cursor *c = &s->argv;
	if (!has_room(s, PAGE_SIZE))
		return NEXT;
	struct ebt_field *field = field_begin(s, EBT_FIELD_ARGV, step->arg);
	field->flags = EBT_USER_MEMORY;
	c->pointer = (__u64)user(s->values[step->arg & 7]);
	c->field = s->position;
	c->end = s->position + sizeof(*field);
	c->limit = c->end + EBT_ARGV_MAX;
	if (c->limit > EBT_RECORD_MAX)
		c->limit = EBT_RECORD_MAX;
	c->width = s->header.abi == EBT_X86_64 ? 8 : 4;
	c->string = 0; /* an element of 4 bytes fills half of it */
	return STRINGS;
}

/* Runs one step of a plan. */
INLINE enum outcome capture_step(struct scratch *s, __u64 task, const struct ebt_step *step)
{
	switch (step->capture) {
	case EBT_CAPTURE_PATH:
		return capture_path(s, task, step);
	case EBT_CAPTURE_STRING:
		capture_string(s, step->arg);
		return NEXT;
	case EBT_CAPTURE_FILE:
		return capture_file(s, EBT_FIELD_FILE, step->arg,
				    file_of(s, (__s32)s->values[step->arg & 7]));
	case EBT_CAPTURE_SOCKADDR:
	case EBT_CAPTURE_SOCKADDR_OUT:
		capture_sockaddr(s, step);
		return NEXT;
	case EBT_CAPTURE_MSGHDR:
		capture_msghdr(s, step);
		return NEXT;
	case EBT_CAPTURE_SOCKET:
		capture_socket(s, task, step);
		return NEXT;
	case EBT_CAPTURE_ARGV:
		return capture_argv(s, step);
	}
	return NEXT;
}

INLINE int captured_all(const struct scratch *s, const struct ebt_plan *plan)
{
	return s->phase >= PHASE_STEPS + (__u32)plan->steps[s->list & 1];
}

/*
 * Tail calls that the rest of the record needs: two for each step to come, and three
 * for a process's exit after it, more for a call's own record.
 */
INLINE __u32 calls_to_come(const struct scratch *s, const struct ebt_plan *plan)
{
	__u32 calls = 1;
	if (s->phase <= PHASE_CWD)
		calls += 2;
	if (s->chrooted && s->phase <= PHASE_ROOT)
		calls += 2;
	calls += plan->steps[s->list & 1] * 2;
	return calls + (s->then_stage == STAGE_CALL ? 8 : s->then_stage ? 3 : 0);
}

/* Does what s->phase says, from the cwd on, and moves it on. */
INLINE enum outcome capture_phase(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	__u32 phase = s->phase;
	s->phase = phase + 1;
	switch (phase) {
	case PHASE_CWD:
		s->phase += !s->chrooted;
		return capture_place(s, EBT_FIELD_CWD, EBT_ARG_NONE, s->pwd_mount, s->pwd_dentry);
	case PHASE_ROOT:
		return capture_place(s, EBT_FIELD_ROOT, EBT_ARG_NONE, s->root_mount,
				     s->root_dentry);
	}
	return capture_step(s, task,
			    &plan->step[s->list & 1][(phase - PHASE_STEPS) & (EBT_STEPS - 1)]);
}

/* Most paths are short enough to be walked on the spot. 1 when it was. */
INLINE int walked_here(struct scratch *s)
{
#ifdef TIER_LOOPS
	if (!walk_some(s, TIER_WALK_HERE))
		return 0;
	walk_end(s, 0);
	return 1;
#else
	return 0;
#endif
}

/* Captures until the record is complete or another stage has to go on. */
INLINE void capture(void *ctx, struct claim *claim, __u64 task, const struct ebt_plan *plan)
{
	struct scratch *s = claim->scratch;
	enum outcome outcome = NEXT;
	if (s->phase == PHASE_BEGIN)
		capture_begin(s, task);
	if (s->phase == PHASE_EXE) {
		s->phase = PHASE_IMAGE;
		outcome = capture_exe(s, task);
	}
	if (outcome == NEXT && s->phase == PHASE_IMAGE) {
		s->phase = PHASE_CWD;
		capture_image(s, task, plan);
	}
	TIER_LOOP
	for (int i = 0; i < TIER_CAPTURES; i++) {
		if (outcome != NEXT || captured_all(s, plan))
			break;
		outcome = capture_phase(s, task, plan);
		if (outcome == WALK && walked_here(s))
			outcome = NEXT;
	}
	if (outcome == NEXT && captured_all(s, plan)) {
		finish(ctx, claim);
		return;
	}
	s->reserve = calls_to_come(s, plan);
	go_on(ctx, claim,
	      outcome == WALK      ? STAGE_WALK
	      : outcome == STRINGS ? STAGE_ARGV
				   : STAGE_CAPTURE);
}

/* Counts the event of a process; has it told of all that it may in this second? */
INLINE int is_over_rate(__u32 tgid)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	if (!set || !set->events_per_process)
		return 0;
	struct rate first = {.second = bpf_ktime_get_ns() / 1000000000, .events = 1};
	struct rate *rate = bpf_map_lookup_elem(&rates, &tgid);
	if (!rate) {
		bpf_map_update_elem(&rates, &tgid, &first, BPF_ANY);
		return 0;
	}
	if (rate->second != first.second) {
		rate->second = first.second;
		rate->events = 0;
	}
	__sync_fetch_and_add(&rate->events, 1);
	return rate->events > set->events_per_process;
}

/* Has the reader asked for no ordinary records for now? */
INLINE int is_shedding(void)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	return set && set->shed;
}

/* Counts the record, which is not going to be. */
INLINE int refuse_record(struct ebt_slot *slot, enum ebt_loss cause)
{
	slot->sequence++;
	count_loss(slot, cause);
	return 1;
}

/* Is the record, of which nothing is captured yet, one too many? It is counted, then. */
INLINE int is_too_many(const struct claim *claim)
{
	const struct scratch *s = claim->scratch;
	if (!HAS_FEATURE(shedding) && !HAS_FEATURE(rate_limit))
		return 0;
	if (s->phase != PHASE_BEGIN || s->vital)
		return 0;
	if (HAS_FEATURE(shedding) && is_shedding())
		return refuse_record(claim->slot, EBT_LOST_MAX_CPU);
	if (HAS_FEATURE(rate_limit) && is_over_rate(s->header.tgid))
		return refuse_record(claim->slot, EBT_LOST_RATE_LIMIT);
	return 0;
}

/* The stage: goes on capturing. */
INLINE void run_capture(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	if (is_too_many(&claim)) {
		leave(ctx, &claim);
		return;
	}
	__u32 row = claim.scratch->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (plan)
		capture(ctx, &claim, bpf_get_current_task(), plan);
}

/* May a stage call itself once more and leave the others what they need? */
INLINE int may_repeat(const struct scratch *s)
{
	return s->tail_calls + s->reserve < TAIL_CALLS;
}

/* The stage: walks up one path. */
INLINE void run_walk(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	int whole = walk_some(s, TIER_WALK_STEPS);
	if (!whole && may_repeat(s))
		jump(ctx, s, STAGE_WALK);
	walk_end(s, !whole);
	go_on(ctx, &claim, STAGE_CAPTURE);
}

/* Reads the element that the cursor stands at. */
INLINE __s64 argv_element(struct argv_cursor *c)
{
	return bpf_probe_read_user(&c->string, bounded(c->width, 8), (void *)c->pointer);
}

/* One string of the vector: 0 when it was the last. argv_status tells why it was. */
INLINE int argv_step(struct scratch *s)
{
	OPAQUE(s); /* as in walk_step */
	struct argv_cursor *c = &s->argv;
	argv_element(c);
	/* A failed read leaves 0 too; what looks negative is the kernel's memory. */
	if ((__s64)c->string <= 0)
		return 0;
	__u64 end = c->end, room = c->limit - end;
	__s64 length =
	    unsure(&c->got, bpf_probe_read_user_str(record_at(s, end), bounded(room, EBT_ARGV_MAX),
						    (void *)c->string));
	if (length < 0)
		return 0;
	/* 0 is what 5.10 to 6.x say of an empty string; they do store its NUL. */
	c->end = end + length + !length;
	c->pointer += c->width;
	return length < room;
}

/* Why the vector ended. */
INLINE __u8 argv_status(struct argv_cursor *c)
{
	if (!c->string)
		return argv_element(c) ? EBT_FAULT : EBT_OK;
	return c->got < 0 || (__s64)c->string < 0 ? EBT_FAULT : EBT_TRUNCATED;
}

INLINE int argv_some(struct scratch *s)
{
	TIER_LOOP
	for (int i = 0; i < TIER_ARGV_STEPS; i++) {
		if (!argv_step(s))
			return 1;
	}
	return 0;
}

/* The stage: copies an argument vector. */
INLINE void run_argv(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	struct argv_cursor *c = &s->argv;
	int whole = argv_some(s);
	if (!whole && may_repeat(s))
		jump(ctx, s, STAGE_ARGV);
	struct ebt_field *field = record_at(s, c->field);
	__u32 length = c->end - c->field - sizeof(*field);
	__u8 status = whole ? argv_status(c) : EBT_TRUNCATED;
	/* How much more there was is not known without reading it. */
	if (status != EBT_OK)
		field->flags |= EBT_AT_LEAST;
	field_end(s, field, status, length, length);
	go_on(ctx, &claim, STAGE_CAPTURE);
}

#endif
