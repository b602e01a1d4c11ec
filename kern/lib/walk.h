/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Paths, from the leaf up: one step a component or a mount point. Only the
 * driver of the steps differs between tiers.
 */
#ifndef EBT_LIB_WALK_H
#define EBT_LIB_WALK_H

#include "kern/lib/capture/user_memory.h"
#include "kern/lib/emit.h"
#include "kern/lib/field.h"
#include "kern/lib/screen.h"

#define NAME_MAX_MASK 0xff

/* How deep mounts may be stacked above a process's root. */
#define MOUNT_DEPTH 6
/* Mounts that a walk passes before it goes on with another run. */
#define MOUNTS_STACKED 3

/*
 * What a step needs stands side by side on every kernel but those built with
 * randomised structures. Where a tier has no room for more than one read, the loader
 * passes it over there (Offsets::scattered).
 */
#ifdef TIER_LOOPS
#define MOUNT_TOGETHER                                                                             \
	(!DIRECT && OFFSET(mount, mnt_mountpoint) == OFFSET(mount, mnt_parent) + 8 &&              \
	 OFFSET(mount, mnt) + OFFSET(vfsmount, mnt_root) == OFFSET(mount, mnt_parent) + 16)
#define DENTRY_TOGETHER                                                                            \
	(!DIRECT && OFFSET(dentry, d_name) == OFFSET(dentry, d_parent) + 8 &&                      \
	 (!HAS(dentry, d_hash_pprev) ||                                                            \
	  OFFSET(dentry, d_hash_pprev) + 8 == OFFSET(dentry, d_parent)) &&                         \
	 OFFSET(qstr, len) == 4 && OFFSET(qstr, name) == 8)
#else
#define MOUNT_TOGETHER 1
#define DENTRY_TOGETHER 1
#endif

INLINE void read_mount(struct mount_view *view, __u64 mount)
{
	if (MOUNT_TOGETHER) {
		bpf_probe_read_kernel(view, sizeof(*view),
				      (void *)(mount + OFFSET(mount, mnt_parent)));
		return;
	}
	READ(&view->parent, mount, mount, mnt_parent);
	READ(&view->mountpoint, mount, mount, mnt_mountpoint);
	READ(&view->root, mount + OFFSET(mount, mnt), vfsmount, mnt_root);
}

INLINE void read_dentry(struct dentry_view *view, __u64 dentry)
{
	if (DENTRY_TOGETHER) {
		bpf_probe_read_kernel(view, sizeof(*view),
				      (void *)(dentry + OFFSET(dentry, d_parent) - 8));
		return;
	}
	__u64 qstr = dentry + OFFSET(dentry, d_name);
	READ(&view->parent, dentry, dentry, d_parent);
	READ(&view->length, qstr, qstr, len);
	READ(&view->name, qstr, qstr, name);
}

INLINE void walker_enter_mount(struct walker *w, __u64 mount)
{
	w->mount = mount;
	read_mount(&w->in, mount);
}

/* The two pointers of a struct path in kernel memory. */
INLINE int read_path(__u64 path, __u64 *mount, __u64 *dentry)
{
#ifdef TIER_LOOPS
	__u64 mnt = POINTER(path, path, mnt);
	*dentry = POINTER(path, path, dentry);
#else
	__u64 both[2] = {};
	READ_AT(&both, path);
	__u64 mnt = both[0];
	*dentry = both[1];
#endif
	*mount = mnt - OFFSET(mount, mnt);
	return mnt && *dentry;
}

/* Fields that have a struct ebt_inode before the components. */
INLINE __u32 walk_prefix(const struct ebt_field *field)
{
	return field->kind == EBT_FIELD_EXE || field->kind == EBT_FIELD_FILE ||
		       field->kind == EBT_FIELD_WITNESS || (field->flags & EBT_WITH_INODE)
		   ? sizeof(struct ebt_inode)
		   : 0;
}

/* Has the name that led to the path's last dentry been removed? Roots have no name. */
INLINE __u8 is_deleted(const struct walker *w)
{
	__u64 hashed = 1;
#ifndef TIER_KPROBE /* which acts on what has just been looked up, and has no room */
	if (HAS(dentry, d_hash_pprev)) {
		hashed = w->at.hashed;
		if (!DENTRY_TOGETHER)
			READ(&hashed, w->dentry, dentry, d_hash_pprev);
	}
#endif
	return !hashed && w->dentry != w->in.root ? EBT_DELETED : 0;
}

/* Aims the walker at a dentry; its field has begun at the end of the record. */
INLINE void walk_begin(struct scratch *s, struct ebt_field *field, __u64 mount, __u64 dentry,
		       __u64 inode)
{
	struct walker *w = &s->walker;
	w->dentry = dentry;
	w->inode = inode;
	w->field = s->position;
	w->end = s->position + sizeof(*field) + walk_prefix(field);
	w->kept = w->end;
	w->limit = w->end + EBT_PATH_MAX;
	w->below_cwd = 0;
	w->stop = s->cwd_written ? s->pwd_dentry : 0;
	if (w->mount != mount) /* else it was read for this record already */
		walker_enter_mount(w, mount);
	read_dentry(&w->at, dentry);
	field->flags |= is_deleted(w);
}

/* Names of up to so many bytes, which nearly all have, are copied in words. */
#define SHORT_NAME sizeof(((struct dentry_view *)0)->short_name)

INLINE void copy_words(__u64 *to, const __u64 *from)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < SHORT_NAME / 8; i++)
		to[i] = from[i];
}

/* Copies a short name without a helper, where that can be; 0 where it cannot. */
INLINE int copy_short_name(const struct walker *w, __u64 *to, __u64 length)
{
	__u64 in_dentry = w->dentry + OFFSET(dentry, d_parent) - 8 +
			  __builtin_offsetof(struct dentry_view, short_name);
	if (length >= SHORT_NAME)
		return 0;
#ifdef TIER_DIRECT
	if (DIRECT) {
		copy_words(to, direct(w->at.name, 0));
		return 1;
	}
#endif
	if (w->at.name == in_dentry) {
		copy_words(to, w->at.short_name);
		return 1;
	}
	return 0;
}

/* Copies the name in w->at to the end of the path. `may_spare`: a helper call. */
INLINE void walk_store_name(struct scratch *s, struct walker *w, int may_spare)
{
	__u64 length = w->at.length & NAME_MAX_MASK;
	__u64 end = w->end;
	__u64 after = end + length + 1;
	w->end = after;
	if (after > w->limit) /* and so for all that follow */
		return;
	w->kept = after;
	OPAQUE(end);
	__u8 *to = s->record + (end & RECORD_MASK);
	OPAQUE(length);
	length &= NAME_MAX_MASK;
	/* One byte more than the name, so that the size is never 0; it becomes the NUL. */
	if (!may_spare || !copy_short_name(w, (void *)to, length))
		bpf_probe_read_kernel(to, length + 1, (void *)w->at.name);
	to[length] = 0;
}

/* Does the walk of this mount end here? */
INLINE int is_walked(const struct walker *w, __u64 dentry)
{
	return dentry == w->in.root || dentry == w->stop;
}

/* One component up: 0 at the root of the mount, or where there is nothing above. */
INLINE int walk_step(struct scratch *s, int may_spare)
{
	/* Fresh in each step, or the compiler keeps the address of each member on the stack. */
	OPAQUE(s);
	struct walker *w = &s->walker;
	__u64 dentry = w->dentry, parent = w->at.parent;
	walk_store_name(s, w, may_spare);
	w->dentry = parent;
	if (parent == dentry || is_walked(w, parent))
		return 0;
	read_dentry(&w->at, parent);
	return 1;
}

/*
 * From the root of a mount to where it is mounted, as often as mounts are stacked
 * right there; 1 when that was the last one.
 */
INLINE int walk_mounts(struct scratch *s)
{
	struct walker *w = &s->walker;
	if (w->dentry == w->stop) {
		w->below_cwd = w->mount == s->pwd_mount;
		w->stop = 0; /* the same directory, mounted elsewhere */
		if (w->below_cwd)
			return 1;
	} else if (w->dentry != w->in.root) {
		return 1; /* below no mount: nothing is above */
	}
#pragma clang loop unroll(full)
	for (int i = 0; i < MOUNTS_STACKED && w->dentry == w->in.root; i++) {
		__u64 parent = w->in.parent;
		if (parent == w->mount)
			return 1;
		w->dentry = w->in.mountpoint;
		walker_enter_mount(w, parent);
	}
	read_dentry(&w->at, w->dentry);
	return 0;
}

/*
 * Steps that copy short names without a helper. Where loops are unrolled that takes half as many
 * instructions again: of what a program may have the rest is for deep paths.
 */
#ifdef TIER_LOOPS
#define SPARING_STEPS TIER_WALK_STEPS
#else
#define SPARING_STEPS 12
#endif

/* Up to so many steps; 1 when the top is reached. */
INLINE int walk_some(struct scratch *s, int steps)
{
	if (is_walked(&s->walker, s->walker.dentry))
		return walk_mounts(s);
	TIER_LOOP
	for (int i = 0; i < (steps < SPARING_STEPS ? steps : SPARING_STEPS); i++) {
		if (!walk_step(s, 1))
			return walk_mounts(s);
	}
	TIER_LOOP
	for (int i = SPARING_STEPS; i < steps; i++) {
		if (!walk_step(s, 0))
			return walk_mounts(s);
	}
	return 0;
}

/* How a walk ended: at the root of the caller's mount namespace, of another, or of none. */
INLINE __u8 walk_flags(const struct scratch *s)
{
	const struct walker *w = &s->walker;
	if (w->below_cwd)
		return EBT_BELOW_CWD;
	if (w->dentry != w->in.root)
		return EBT_DETACHED;
	return s->top_mount && s->top_mount != w->mount ? EBT_FOREIGN : 0;
}

#define NAMESPACE_KIND_MAX 32 /* bytes of "cgroup" and its like; a power of two */

/* The kind of a namespace, in place of the components, of which its file has none. */
INLINE void name_namespace(struct scratch *s, __u64 start)
{
	struct walker *w = &s->walker;
	__u64 ops = POINTER(POINTER(w->inode, inode, i_private), ns_common, ops);
	__s64 length =
	    forget_range(&s->string_result,
			 bpf_probe_read_kernel_str(record_at(s, start), NAMESPACE_KIND_MAX,
						   (void *)POINTER(ops, proc_ns_operations, name)));
	if (length > 0)
		w->kept = w->end = start + (length & (NAMESPACE_KIND_MAX - 1));
}

/* Closes the walker's field. `cut`: the steps ran out before the top. */
INLINE void walk_end(struct scratch *s, int cut)
{
	struct walker *w = &s->walker;
	struct ebt_field *field = record_at(s, w->field);
	__u32 prefix = walk_prefix(field);
	s->cwd_written |= field->kind == EBT_FIELD_CWD;
	__u8 flags = cut ? EBT_AT_LEAST : walk_flags(s);
	if (prefix && (flags & EBT_DETACHED) && w->inode) {
		struct ebt_inode *inode = (void *)(field + 1);
		__u64 sb = POINTER(w->inode, inode, i_sb);
		READ(&inode->magic, sb, super_block, s_magic);
		if (HAS(ns_common, ops) && inode->magic == NSFS_MAGIC)
			name_namespace(s, w->field + sizeof(*field) + prefix);
	}
	field->flags |= flags;
	__u32 begin = w->field + sizeof(*field);
	field_end(s, field, cut || w->end != w->kept ? EBT_TRUNCATED : EBT_OK, w->kept - begin,
		  w->end - begin);
}

/*
 * Follows a process's root up to the root mount of its mount namespace, and finds out
 * whether something lies in between: a chroot. top_mount is 0 when mounts are
 * stacked too deep.
 */
INLINE int scan_root(struct scratch *s, __u64 mount, __u64 dentry)
{
	int chrooted = 0;
	s->top_mount = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < MOUNT_DEPTH; i++) {
		struct mount_view view = {};
		read_mount(&view, mount);
		if (i == 0) { /* most paths end here */
			s->walker.mount = mount;
			s->walker.in = view;
		}
		chrooted |= dentry != view.root;
		if (view.parent == mount) {
			s->top_mount = mount;
			return chrooted;
		}
		dentry = view.mountpoint;
		mount = view.parent;
	}
	return 1;
}

/* Has the record all that the plan asks for? */
INLINE int captured_all(const struct scratch *s, const struct ebt_plan *plan)
{
	return s->phase >= PHASE_STEPS + (__u32)plan->steps[s->step_list & 1];
}

/* Was the path the last part of its record? */
INLINE int ends_record(const struct scratch *s)
{
#ifdef TIER_KPROBE
	return 0; /* it may be one that is kept, without a record */
#else
	__u32 row = s->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	return plan && captured_all(s, plan);
#endif
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
		tail_call(ctx, s, STAGE_WALK);
	walk_end(s, !whole);
	if (ends_record(s)) {
		screen(ctx, &claim);
	} else {
		tail_call(ctx, s, STAGE_CAPTURE);
		s->header.flags |= EBT_LOST_FIELDS; /* the kernel refused */
	}
	emit_and_end(ctx, &claim);
}

#endif
