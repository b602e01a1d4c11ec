/* SPDX-License-Identifier: GPL-2.0 */
/* Paths: the mount that a call writes to, then the dentries that it acts on. */
#ifndef EBT_LIB_WITNESS_PATHS_H
#define EBT_LIB_WITNESS_PATHS_H

#include "kern/lib/capture/capture.h"
#include "kern/lib/witness/scene.h"

/* The stage that goes on after a walk. Programs of one type share no map of them with another. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} witness_stages SEC(".maps");

/* Entries of threads that work for io_uring: they last, and may be taken away any time. */
#define IDENTITY_IO_URING 1

/*
 * An operation is about to write to a mount. The mounts that file systems have to themselves,
 * to lie on others, hang on none.
 */
INLINE void keep_operation_mount(__u64 task, __u64 mount)
{
	struct mount_view view = {};
	__u64 root = 0, dentry = 0;
	read_mount(&view, mount);
	read_path(POINTER(task, task_struct, fs) + OFFSET(fs_struct, root), &root, &dentry);
	if (view.parent == mount && mount != root)
		return;
	struct witness *w = find_witness(task);
	if (!w)
		w = claim_witness(task);
	if (!w)
		return;
	w->call = IDENTITY_IO_URING;
	w->taken = 1;
	w->mount = mount;
}

INLINE __u64 superblock_of(__u64 dentry)
{
	return POINTER(inode_of_dentry(dentry), inode, i_sb);
}

/* Does the dentry lie in the file system of the mount, or in one that this one lies on? */
INLINE int is_in_mount(__u64 dentry, __u64 mount)
{
	struct mount_view view = {};
	read_mount(&view, mount);
	return superblock_of(POINTER(dentry, dentry, d_parent)) == superblock_of(view.root);
}

/*
 * The call is about to write to a mount. File systems that lie on others come here again,
 * deeper in the stack: the outermost is the one that the path leads through.
 */
INLINE void witness_mount(const struct ebt_registers *ctx, __u64 vfsmount)
{
	struct scene scene;
	__u64 mount = vfsmount - OFFSET(mount, mnt);
	enum place place = look_around(&scene, ctx, EBT_WITNESS_PATHS);
	if (place == IN_OPERATION)
		keep_operation_mount(scene.task, mount);
	if (place != IN_CALL)
		return;
	struct witness *w = witness_of(&scene);
	if (!w || scene.stack < w->mount_stack)
		return;
	w->mount = mount;
	w->mount_stack = scene.stack;
}

/* Claims a slot. When all are in use no loss is counted: the call's record says so. */
INLINE void claim_slot_quietly(struct claim *claim, __u64 task)
{
	__u32 index = bpf_get_smp_processor_id() * EBT_SLOTS;
	claim->scratch = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < EBT_SLOTS; i++, index++) {
		struct ebt_slot *slot = bpf_map_lookup_elem(&slots, &index);
		if (!slot || !slot_take(slot, task))
			continue;
		claim->slot = slot;
		claim->index = index;
		claim->scratch = bpf_map_lookup_elem(&scratches, &index);
		if (claim->scratch)
			claim->scratch->tail_calls = 0;
		return;
	}
}

/* Aims the walker at a path and goes there; `which` of the call's paths it is. */
INLINE void walk_witness(void *ctx, struct claim *claim, __u64 mount, __u64 dentry, __u8 which)
{
	struct scratch *s = claim->scratch;
	__u64 inode = inode_of_dentry(dentry);
	struct ebt_field *field = field_begin(s, EBT_FIELD_WITNESS, which);
	struct ebt_inode *out = (void *)(field + 1);
	__builtin_memset(out, 0, sizeof(*out));
	if (inode)
		read_inode(s, out, inode);
	s->witness.which = which;
	s->cwd_written = 0;
	walk_begin(s, field, mount, dentry, inode);
	if (s->witness.mode == WITNESS_STORE)
		s->walker.limit = s->position + WITNESS_PATH - 8;
	s->reserved_calls = 8;
	tail_call(ctx, s, STAGE_WALK);
}

INLINE void begin_walks(struct scratch *s, __u64 mount, __u64 second)
{
	s->walker.mount = 0;
	s->top_mount = 0;
	s->next_record_stage = 0;
	s->witness.mount = mount;
	s->witness.second = second;
}

/* A file that the call's first argument is a descriptor of, if its path ends at this dentry. */
INLINE __u64 mount_of_descriptor(struct scratch *s, __u64 task, __u64 dentry)
{
	struct call call = {};
	__u64 mount = 0, found = 0;
	read_resources(s, task);
	__u64 registers = task_registers(task);
	identify_call(&call, task, registers_number(registers));
	call_arguments(&call, registers);
	__u64 file = file_of(s, (__s32)call.args[0]);
	if (file)
		read_path(file + OFFSET(file, f_path), &mount, &found);
	return found == dentry ? mount : 0;
}

/* The same of an operation of io_uring. */
INLINE void record_operation_paths(void *ctx, __u64 task, __u64 dentry, __u64 second,
				   const struct operation *op)
{
	struct claim claim;
	struct witness *w = find_witness(task);
	__u64 mount = w && w->call == IDENTITY_IO_URING ? w->mount : 0;
	if ((mount && !is_in_mount(dentry, mount)) || !begin_operation(&claim, task, op))
		return;
	if (!mount) { /* its entry was taken away */
		field_missing(claim.scratch, EBT_FIELD_WITNESS, EBT_ARG_NONE, EBT_UNAVAILABLE);
		continue_operation(ctx, &claim);
		return;
	}
	begin_walks(claim.scratch, mount, second);
	walk_witness(ctx, &claim, mount, dentry, 0);
	claim.slot->lost[EBT_LOST_TAIL_CALL]++;
	release_slot(claim.slot);
}

/* A file that is opened by one: there is no other hook that has it and its mount. */
INLINE void record_operation_open(void *ctx, __u64 file)
{
	struct operation op = {.nr = NR_OPENAT};
	struct registers r;
	struct claim claim;
	__u64 task = bpf_get_current_task();
	struct file_view view = {};
	__u32 flags = 0;
	if (READ_AT(&r, task_registers(task)) || !works_for_io_uring(task, &r))
		return;
	if (HAS(file, f_flags))
		READ(&flags, file, file, f_flags);
	op.args[2] = flags;
	if (!operation_row(NR_OPENAT))
		op.nr = NR_OPENAT2;
	if (!begin_operation(&claim, task, &op))
		return;
	if (read_file(claim.scratch, file, &view)) {
		begin_walks(claim.scratch, view.mount, 0);
		walk_witness(ctx, &claim, view.mount, view.dentry, 0);
	}
	claim.slot->lost[EBT_LOST_TAIL_CALL]++;
	release_slot(claim.slot);
}

/* The call acts on this dentry, and on a second one if it is a rename or a link. */
INLINE void witness_paths(const struct ebt_registers *ctx, __u32 kind, __u64 dentry, __u64 second,
			  const struct operation *op)
{
	struct scene scene;
	struct claim claim;
	enum place place = look_around(&scene, ctx, kind);
	if (place == IN_OPERATION && op->nr)
		record_operation_paths((void *)ctx, scene.task, dentry, second, op);
	if (place != IN_CALL)
		return;
	struct witness *w = witness_of(&scene);
	if (!w || scene.stack < w->hook_stack)
		return;
	__u64 mount = w->mount;
	w->hook_stack = scene.stack;
	w->length[0] = w->length[1] = 0;
	claim_slot_quietly(&claim, scene.task);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	s->position = sizeof(struct ebt_header);
	/* Of ftruncate(2), where the kernel has no hook that knows the mount. */
	if (!mount && kind == EBT_WITNESS_ATTRIBUTES)
		mount = mount_of_descriptor(s, scene.task, dentry);
	if (mount) {
		begin_walks(s, mount, second);
		s->witness.mode = WITNESS_STORE;
		walk_witness((void *)ctx, &claim, mount, dentry, 0);
	}
	release_slot(claim.slot);
}

/* What a file to execute leads to: first what was asked for, then who interprets it. */
INLINE void witness_exec(const struct ebt_registers *ctx, __u64 bprm)
{
	struct scene scene;
	struct claim claim;
	struct file_view view = {};
	__u64 interp = 0, filename = 0;
	if (look_around(&scene, ctx, EBT_WITNESS_EXEC) != IN_CALL)
		return;
	struct witness *w = witness_of(&scene);
	if (!w)
		return;
	interp = POINTER(bprm, linux_binprm, interp);
	filename = POINTER(bprm, linux_binprm, filename);
	if (interp == filename)
		begin_witness(w, &scene);
	w->length[1] = 0; /* an interpreter's interpreter is the one that runs */
	__u8 which = interp != filename;
	claim_slot_quietly(&claim, scene.task);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	s->position = sizeof(struct ebt_header);
	if (read_file(s, POINTER(bprm, linux_binprm, file), &view)) {
		begin_walks(s, view.mount, 0);
		s->witness.mode = WITNESS_STORE;
		walk_witness((void *)ctx, &claim, view.mount, view.dentry, which);
	}
	release_slot(claim.slot);
}

/* Keeps the path that was walked: in the entry of the thread. */
INLINE void store_path(struct scratch *s, __u64 task)
{
	struct witness *w = find_witness(task);
	if (!w)
		return;
	__u32 which = s->witness.which & 1;
	__u64 length = s->position - sizeof(struct ebt_header);
	const void *from = record_at(s, sizeof(struct ebt_header));
	w->length[which] = length;
	w->top[which] = s->walker.mount;
	length = bounded(length, WITNESS_PATH);
	if (which)
		bpf_probe_read_kernel(w->bytes + WITNESS_PATH, length, from);
	else
		bpf_probe_read_kernel(w->bytes, length, from);
}

/* The stage: keeps a path, and walks the second if there is one. */
INLINE void run_witness(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	int is_operation = s->witness.mode == WITNESS_EVENT;
	if (!is_operation)
		store_path(s, bpf_get_current_task());
	__u64 second = s->witness.second;
	if (second) {
		s->witness.second = 0;
		if (!is_operation)
			s->position = sizeof(struct ebt_header);
		walk_witness(ctx, &claim, s->witness.mount, second, 1);
	}
	if (is_operation)
		continue_operation(ctx, &claim);
	else
		release_slot(claim.slot);
}

/* The stage after a walk: that of a record, or of what is to be kept. */
INLINE void run_capture_or_witness(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	struct scratch *s = claim.scratch;
	if (s->witness.mode == WITNESS_STORE || s->witness.mode == WITNESS_EVENT) {
		bpf_tail_call(ctx, &witness_stages, 0);
		release_slot(claim.slot);
		return;
	}
	if (s->witness.mode == WITNESS_DETAIL) {
		s->row = EBT_ROW_NONE; /* nothing to capture but the process */
		s->witness.mode = WITNESS_NONE;
	}
	run_capture(ctx);
}

#endif
