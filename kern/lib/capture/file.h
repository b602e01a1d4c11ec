/* SPDX-License-Identifier: GPL-2.0 */
/* Files behind descriptors, directories, and the paths that a call names. */
#ifndef EBT_LIB_CAPTURE_FILE_H
#define EBT_LIB_CAPTURE_FILE_H

#include "kern/lib/capture/user_memory.h"
#include "kern/lib/header.h"
#include "kern/base/uapi.h"
#include "kern/lib/walk.h"

/* Marks what another task has a part in: its users are counted. */
INLINE void note_users(struct scratch *s, __u32 users, __u8 what)
{
	if (users > 1)
		s->header.shared |= what;
}

/* How struct fdtable begins. */
struct table_view {
	__u32 max_fds;
	__u32 padding;
	__u64 fd;
};

#ifdef TIER_LOOPS
#define TABLE_TOGETHER                                                                             \
	(!DIRECT && OFFSET(fdtable, max_fds) == 0 &&                                               \
	 OFFSET(fdtable, fd) == __builtin_offsetof(struct table_view, fd))
#else
#define TABLE_TOGETHER 1
#endif

/* A process with few files has their table right behind the pointer to the table. */
#define TABLE_INSIDE (OFFSET(files_struct, fdt) + 8)

/*
 * The caller's descriptor table. With `*inside` its beginning stands in the window, or has its
 * place there: so far from the window's.
 */
INLINE __u64 descriptor_table(struct scratch *s, __u64 *inside)
{
	__u64 files = s->task.files;
	__u32 users = 0;
	if (HAS(files_struct, count) &&
	    IN_WINDOW(files_struct, count, fdt, 8 + sizeof(struct table_view))) {
		READ_SPAN(s, files, files_struct, count, fdt, 8 + sizeof(struct table_view));
		note_users(s, WINDOW_MEMBER(__u32, s, files_struct, count, count),
			   EBT_SHARED_FILES);
		*inside = TABLE_INSIDE - OFFSET(files_struct, count);
		return WINDOW_MEMBER(__u64, s, files_struct, count, fdt);
	}
	if (HAS(files_struct, count))
		READ(&users, files, files_struct, count);
	note_users(s, users, EBT_SHARED_FILES);
	return POINTER(files, files_struct, fdt);
}

/* Of a record that has something out of the caller's memory. */
INLINE void note_memory(struct scratch *s, __u64 task)
{
#ifndef TIER_KPROBE /* whose records have nothing of the kind */
	__u32 users = 0;
	if (s->memory_noted)
		return;
	s->memory_noted = 1;
	if (HAS(mm_struct, mm_users))
		READ(&users, POINTER(task, task_struct, mm), mm_struct, mm_users);
	note_users(s, users, EBT_SHARED_MEMORY);
#endif
}

/* The file behind a descriptor of the caller's; 0 when there is none. */
INLINE __u64 file_of(struct scratch *s, __s64 fd)
{
	__u32 max_fds = 0;
	__u64 file = 0, table = 0, inside = 0;
	__u64 fdt = descriptor_table(s, &inside);
	if (TABLE_TOGETHER) {
		struct table_view *view = (void *)s->window + in_window(inside);
		if (!inside || fdt != s->task.files + TABLE_INSIDE)
			READ_AT(view, fdt);
		max_fds = view->max_fds;
		table = view->fd;
	} else {
		READ(&max_fds, fdt, fdtable, max_fds);
		table = POINTER(fdt, fdtable, fd);
	}
	if ((__u64)fd >= max_fds)
		return 0;
	READ_AT(&file, table + fd * sizeof(file));
	return file;
}

/* Both out of the window, which begins with the member of fs_struct at `begin`. */
INLINE void view_root_and_cwd(struct scratch *s, __u64 begin)
{
	const __u64 root = OFFSET(fs_struct, root) - begin, pwd = OFFSET(fs_struct, pwd) - begin;
	s->root_mount = window_word(s, root + OFFSET(path, mnt)) - OFFSET(mount, mnt);
	s->root_dentry = window_word(s, root + OFFSET(path, dentry));
	s->pwd_mount = window_word(s, pwd + OFFSET(path, mnt)) - OFFSET(mount, mnt);
	s->pwd_dentry = window_word(s, pwd + OFFSET(path, dentry));
}

/* Where the caller's root and cwd are; without a dentry: nowhere. */
INLINE void find_root_and_cwd(struct scratch *s)
{
	__u64 fs = s->task.fs, mount = 0, dentry = 0;
	s->root_mount = s->root_dentry = s->pwd_mount = s->pwd_dentry = 0;
	if (!fs)
		return;
	if (HAS(fs_struct, users) && IN_WINDOW(fs_struct, users, pwd, 16) &&
	    IN_WINDOW(fs_struct, users, root, 16)) {
		READ_SPAN(s, fs, fs_struct, users, pwd, 16);
		note_users(s, WINDOW_MEMBER(__u32, s, fs_struct, users, users), EBT_SHARED_FS);
		view_root_and_cwd(s, OFFSET(fs_struct, users));
		return;
	}
	if (HAS(fs_struct, users)) {
		__u32 users = 0;
		READ(&users, fs, fs_struct, users);
		note_users(s, users, EBT_SHARED_FS);
	}
	if (IN_WINDOW(fs_struct, root, pwd, 16)) {
		READ_SPAN(s, fs, fs_struct, root, pwd, 16);
		view_root_and_cwd(s, OFFSET(fs_struct, root));
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

/* A path field without an inode in front: cwd, root, directory. */
INLINE enum outcome capture_directory(struct scratch *s, __u8 kind, __u8 arg, __u64 mount,
				      __u64 dentry)
{
	if (!dentry) {
		field_missing(s, kind, arg, EBT_UNAVAILABLE);
		return CAPTURED;
	}
	if (!has_room(s, EBT_PATH_MAX))
		return CAPTURED;
	struct ebt_field *field = field_begin(s, kind, arg);
	walk_begin(s, field, mount, dentry, 0);
	return NEEDS_WALK;
}

/* Does the member stand in what is read at once of an inode? */
#define IN_INODE(member)                                                                           \
	(OFFSET(inode, member) - OFFSET(inode, i_mode) <                                           \
	 OFFSET(inode, i_ino) - OFFSET(inode, i_mode))

#ifdef TIER_LOOPS
#define INODE_TOGETHER                                                                             \
	(IN_WINDOW(inode, i_mode, i_ino, 8) && IN_INODE(i_uid) && IN_INODE(i_gid) && IN_INODE(i_sb))
#else
#define INODE_TOGETHER 1
#endif

/* The device of the file system that the super block is of; 0 where the kernel does not tell. */
INLINE __u32 device_of(__u64 super_block)
{
	__u32 device = 0;
	if (HAS(super_block, s_dev))
		READ(&device, super_block, super_block, s_dev);
	return device;
}

INLINE void read_inode(struct scratch *s, struct ebt_inode *out, __u64 inode)
{
	__u16 mode = 0;
	__u32 uid = 0, gid = 0;
	__u64 ino = 0, super_block = 0;
	if (INODE_TOGETHER) {
		READ_SPAN(s, inode, inode, i_mode, i_ino, 8);
		mode = WINDOW_MEMBER(__u16, s, inode, i_mode, i_mode);
		uid = WINDOW_MEMBER(__u32, s, inode, i_mode, i_uid);
		gid = WINDOW_MEMBER(__u32, s, inode, i_mode, i_gid);
		ino = WINDOW_MEMBER(__u64, s, inode, i_mode, i_ino);
		super_block = WINDOW_MEMBER(__u64, s, inode, i_mode, i_sb);
	} else {
		__u64 head = 0; /* i_mode, and i_uid where it comes next */
		READ(&head, inode, inode, i_mode);
		mode = head;
		uid = head >> 32;
		if (OFFSET(inode, i_uid) != OFFSET(inode, i_mode) + 4)
			READ(&uid, inode, inode, i_uid);
		READ(&gid, inode, inode, i_gid);
		READ(&ino, inode, inode, i_ino);
		super_block = POINTER(inode, inode, i_sb);
	}
	out->ino = ino;
	out->magic = 0;
	out->mode = mode;
	out->uid = uid;
	out->gid = gid;
	out->device = device_of(super_block);
	out->reserved = 0;
}

/* What is read of an open file. */
struct file_view {
	__u64 mount;
	__u64 dentry;
	__u64 inode;
	__u32 mode; /* FMODE_*; 0: not known */
};

#define FILE_HEAD 128 /* bytes of struct file that have all of it, in whatever order */

/* The path that stands in the window. */
INLINE void view_path(struct file_view *view, const struct scratch *s, __u64 at)
{
	view->mount = window_word(s, at + OFFSET(path, mnt)) - OFFSET(mount, mnt);
	view->dentry = window_word(s, at + OFFSET(path, dentry));
}

/* Where an open file is, and its inode; 0: nowhere. */
INLINE int read_file(struct scratch *s, __u64 file, struct file_view *view)
{
	view->mode = 0;
#ifndef TIER_LOOPS
	bpf_probe_read_kernel(s->window, FILE_HEAD, (void *)file);
	view->inode = window_word(s, OFFSET(file, f_inode));
	if (HAS(file, f_mode))
		view->mode = window_word(s, OFFSET(file, f_mode)); /* the lower half */
	view_path(view, s, OFFSET(file, f_path));
	return view->dentry != 0;
#else
	if (HAS(file, f_mode))
		READ(&view->mode, file, file, f_mode);
	/* f_inode comes before f_path since 6.12. */
	if (IN_WINDOW(file, f_inode, f_path, 16)) {
		READ_SPAN(s, file, file, f_inode, f_path, 16);
		view->inode = s->window[0];
		view_path(view, s, OFFSET(file, f_path) - OFFSET(file, f_inode));
		return view->dentry != 0;
	}
	view->inode = POINTER(file, file, f_inode);
	return read_path(file + OFFSET(file, f_path), &view->mount, &view->dentry);
#endif
}

/* Did opening the file make it? It is known of the file that a call returns. */
INLINE __u8 is_created(__u8 arg, const struct file_view *view)
{
	return arg == EBT_ARG_RET && (view->mode & FMODE_CREATED) ? EBT_CREATED : 0;
}

/* A path field with its inode in front: an executable or an open file. */
INLINE enum outcome capture_file(struct scratch *s, __u8 kind, __u8 arg, __u64 file)
{
	struct file_view view = {};
	if (!file || !read_file(s, file, &view)) {
		field_missing(s, kind, arg, EBT_UNAVAILABLE);
		return CAPTURED;
	}
	if (!has_room(s, sizeof(struct ebt_inode) + EBT_PATH_MAX))
		return CAPTURED;
	struct ebt_field *field = field_begin(s, kind, arg);
	field->flags = kind == EBT_FIELD_DIR ? EBT_WITH_INODE : 0;
	read_inode(s, (void *)(field + 1), view.inode);
	walk_begin(s, field, view.mount, view.dentry, view.inode);
	field->flags |= is_created(arg, &view);
	return NEEDS_WALK;
}

/* Is it a file that is part of the kernel: what is written there is a setting? */
INLINE int is_setting(__u64 file)
{
	__u64 magic = 0;
	if (!file)
		return 0;
	__u64 sb = POINTER(POINTER(file, file, f_inode), inode, i_sb);
	READ(&magic, sb, super_block, s_magic);
	return magic == PROC_SUPER_MAGIC || magic == SYSFS_MAGIC || magic == CGROUP_SUPER_MAGIC ||
	       magic == CGROUP2_SUPER_MAGIC;
}

/*
 * Does a path with this first byte start from a descriptor? An empty path or none is about that
 * descriptor itself, of whatever kind.
 */
INLINE int has_base(const struct scratch *s, const struct ebt_step *step, __u8 first)
{
	__u64 link = step->link;
	if (first == '/' || link >= EBT_ARGS)
		return 0;
	OPAQUE(link); /* verifiers before 5.10 forget what is known of a number on the stack */
	return (__s32)s->values[link & 7] != AT_FDCWD;
}

/* The directory that a path starts from. */
INLINE enum outcome capture_base(struct scratch *s, __u8 arg, __u64 file)
{
	__u64 mount = 0, dentry = 0;
	if (file)
		read_path(file + OFFSET(file, f_path), &mount, &dentry);
	return capture_directory(s, EBT_FIELD_DIR, arg, mount, dentry);
}

#endif
