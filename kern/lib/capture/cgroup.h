/* SPDX-License-Identifier: GPL-2.0 */
/* The cgroups of a process, by which user space knows its container. */
#ifndef EBT_LIB_CAPTURE_CGROUP_H
#define EBT_LIB_CAPTURE_CGROUP_H

#include "kern/lib/capture/user_memory.h"

#define CGROUP_NAME 256       /* NAME_MAX, and NUL */
#define CGROUP_DEPTH 12       /* levels that are kept, from the leaf up */
#define CGROUP_CONTROLLERS 16 /* that are looked at; Linux 7.2 has 15 */

/* What stands between the controllers and dfl_cgrp: refcount and dom_cset. */
#define BEHIND_CONTROLLERS 16

INLINE int knows_cgroups(void)
{
	return HAS(task_struct, cgroups) && HAS(css_set, dfl_cgrp) && HAS(cgroup, kn) &&
	       HAS(kernfs_node, parent) && HAS(kernfs_node, name);
}

INLINE int knows_controllers(void)
{
	return HAS_FEATURE(cgroup_controllers) && HAS(css_set, subsys) &&
	       HAS(cgroup_subsys_state, cgroup) && HAS(cgroup, root);
}

/*
 * The process's folder in a hierarchy of version 1, if there is one where it is not at the
 * root; the last controller comes first, since those that systemd always uses are there.
 */
INLINE __u64 controller_folder(__u64 sets, __u64 unified)
{
	__u64 root = POINTER(unified, cgroup, root);
	__u64 begin = sets + OFFSET(css_set, subsys);
	__u64 at = sets + OFFSET(css_set, dfl_cgrp) - BEHIND_CONTROLLERS;
	TIER_LOOP
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		__u64 state = 0;
		if (at <= begin)
			break;
		at -= sizeof(state);
		READ_AT(&state, at);
		__u64 group = POINTER(state, cgroup_subsys_state, cgroup);
		if (POINTER(group, cgroup, root) == root)
			continue; /* a controller of the unified hierarchy */
		__u64 folder = POINTER(group, cgroup, kn);
		if (POINTER(folder, kernfs_node, parent))
			return folder;
	}
	return 0;
}

/* The names from a folder up to the root, which has none. */
INLINE void capture_folder(struct scratch *s, __u64 folder, __u8 hierarchy)
{
	if (!has_room(s, CGROUP_DEPTH * CGROUP_NAME))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_CGROUP, hierarchy);
	__u64 begin = s->position + sizeof(*field), end = begin;
	__u64 parent = POINTER(folder, kernfs_node, parent);
	TIER_LOOP
	for (int i = 0; i < CGROUP_DEPTH; i++) {
		if (!parent)
			break;
		__s64 length = forget_range(
		    &s->string_result,
		    bpf_probe_read_kernel_str(record_at(s, end), CGROUP_NAME,
					      (void *)POINTER(folder, kernfs_node, name)));
		if (length <= 0)
			break;
		end += length & (2 * CGROUP_NAME - 1);
		folder = parent;
		parent = POINTER(folder, kernfs_node, parent);
	}
	__u64 length = end - begin;
	if (parent)
		field->flags |= EBT_AT_LEAST;
	field_end(s, field, parent ? EBT_TRUNCATED : EBT_OK, length & RECORD_MASK, length);
}

INLINE void capture_cgroups(struct scratch *s, __u64 task)
{
	if (!knows_cgroups())
		return;
	__u64 sets = POINTER(task, task_struct, cgroups);
	__u64 unified = POINTER(sets, css_set, dfl_cgrp);
	capture_folder(s, POINTER(unified, cgroup, kn), EBT_CGROUP_UNIFIED);
	if (!knows_controllers())
		return;
	__u64 folder = controller_folder(sets, unified);
	if (folder)
		capture_folder(s, folder, EBT_CGROUP_CONTROLLER);
}

#endif
