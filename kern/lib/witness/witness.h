/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel acted on while it acted: paths and addresses that the hooks of
 * hooks.h keep for the record of the call, which takes them at its end. An entry
 * belongs to a thread from the first hook of a call to the call's end.
 *
 * An array instead of an LRU hash: it costs the same on every number of CPUs, its
 * elements are filled where they are (4.14 takes the value of a hash from the stack
 * alone), and it never gives an entry away that is in use.
 */
#ifndef EBT_LIB_WITNESS_WITNESS_H
#define EBT_LIB_WITNESS_WITNESS_H

#include "kern/lib/field.h"
#include "kern/lib/select.h"
#include "kern/lib/slot.h"
#include "kern/base/uapi.h"

#define WITNESSES 1024    /* calls at a time; a power of two */
#define WITNESS_WAYS 4    /* entries that a thread may have */
#define WITNESS_SETS 256  /* of so many */
#define WITNESS_PATH 1024 /* bytes of a path's field; a power of two */
#define WITNESS_ADDRESS (sizeof(struct ebt_field) + SOCKADDR_MAX)
#define WITNESS_ADDRESSES 8

/* An entry may be taken away from who took it over, and from who is in its call for so long. */
#define WITNESS_LEFT_NS 1000000000ULL
#define WITNESS_STALE_NS 60000000000ULL

struct witness {
	__u64 busy;
	__u64 task;        /* address of the task_struct, as in the set; 0: free */
	__u64 time;        /* when the thread got the entry */
	__u64 call;        /* which call of the thread's */
	__u64 mount;       /* the struct mount that it writes to; 0: none yet */
	__u64 mount_stack; /* the stack pointer of the hook that gave it */
	__u64 hook_stack;  /* and of the one that gave the paths or addresses */
	__u64 socket;
	__u64 top[2];                 /* the mount at which each path ended */
	__u32 length[2];              /* bytes of each path's field; 0: no such path */
	__u32 addresses;              /* that the call had */
	__u32 kept;                   /* that are here */
	__u32 taken;                  /* the call is over */
	__u32 index;                  /* of this entry */
	__u8 bytes[2 * WITNESS_PATH]; /* fields as they go into the record */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WITNESSES);
	__type(key, __u32);
	__type(value, struct witness);
} witnesses SEC(".maps");

/*
 * Whose entries they are, a set of them in one line of the cache: most calls have no entry,
 * and their end finds that out by one look.
 */
struct witness_set {
	__u64 task[WITNESS_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WITNESS_SETS);
	__type(key, __u32);
	__type(value, struct witness_set);
} witness_sets SEC(".maps");

/* The set that a thread's entries are in. */
INLINE __u32 witness_set_of(__u64 task)
{
	return (task * 0x9E3779B97F4A7C15ULL) >> 56;
}

INLINE struct witness *witness_at(__u32 index)
{
	return bpf_map_lookup_elem(&witnesses, &index);
}

INLINE void set_witness_owner(__u32 index, __u64 task)
{
	__u32 number = index / WITNESS_WAYS;
	struct witness_set *set = bpf_map_lookup_elem(&witness_sets, &number);
	if (set)
		set->task[index & (WITNESS_WAYS - 1)] = task;
}

INLINE struct witness *find_witness(__u64 task)
{
	__u32 number = witness_set_of(task), way = WITNESS_WAYS;
	const struct witness_set *set = bpf_map_lookup_elem(&witness_sets, &number);
	if (!set)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < WITNESS_WAYS; i++)
		if (set->task[i] == task)
			way = i;
	return way < WITNESS_WAYS ? witness_at(number * WITNESS_WAYS + way) : 0;
}

INLINE void release_witness(struct witness *w)
{
	set_witness_owner(w->index, 0);
	w->task = 0;
	__sync_fetch_and_add(&w->busy, -1);
}

/* The witness of the call that ends now, if it has one; an entry of another call is let go. */
INLINE int end_witness(__u64 task, const struct call *call, int is_exec)
{
	struct witness *w = find_witness(task);
	if (!w)
		return 0;
	if (!w->taken && (w->call == call->identity || is_exec)) {
		w->taken = 1;
		return 1;
	}
	release_witness(w);
	return 0;
}

/* Does the call that executes a program have a record of its own, besides that of the exec? */
INLINE int is_exec_recorded(__u64 task)
{
	return selected_rows(registers_number(task_registers(task))) != 0;
}

/* The record is not wanted: neither is its witness. */
INLINE void drop_witness(const struct claim *claim)
{
	__u64 task = claim->slot->owner;
	if (!HAS_FEATURE(witnesses))
		return;
	if (claim->scratch->witness.mode != WITNESS_TAKEN &&
	    (claim->scratch->header.kind != EBT_EXEC || is_exec_recorded(task)))
		return;
	struct witness *w = find_witness(task);
	if (w)
		release_witness(w);
}

/* Appends a path's field. */
INLINE void append_witnessed_path(struct scratch *s, const struct witness *w, int which)
{
	__u64 length = w->length[which];
	if (!length || !has_room(s, WITNESS_PATH))
		return;
	struct ebt_field *field = record_at(s, s->position);
	length = bounded(length, WITNESS_PATH);
	bpf_probe_read_kernel(field, length, w->bytes + which * WITNESS_PATH);
	if (!(field->flags & EBT_DETACHED) && s->top_mount && s->top_mount != w->top[which])
		field->flags |= EBT_FOREIGN;
	note_certainty(s, field);
	s->position += length;
	s->header.fields++;
}

INLINE void append_witnessed_addresses(struct scratch *s, const struct witness *w)
{
	__u64 kept = w->kept;
	if (w->socket && !kept) /* the call gave no address, whatever is in memory now */
		field_missing(s, EBT_FIELD_WITNESS_ADDRESS, 0, EBT_UNAVAILABLE);
	if (!kept || !has_room(s, WITNESS_ADDRESS * WITNESS_ADDRESSES))
		return;
	struct ebt_field *field = record_at(s, s->position);
	__u64 length = bounded(kept * WITNESS_ADDRESS, 2 * WITNESS_PATH);
	bpf_probe_read_kernel(field, length, w->bytes);
	field->count = w->addresses;
	s->position += length;
	s->header.fields += kept;
}

/*
 * Appends what the witness of this record's call has. An entry can be taken away from a
 * call that takes a minute: the record says that it has none then.
 */
INLINE void append_witness(struct scratch *s, __u64 task, int keep)
{
	struct witness *w = find_witness(task);
	s->witness.socket = 0;
	if (!w) {
		field_missing(s, EBT_FIELD_WITNESS, EBT_ARG_NONE, EBT_UNAVAILABLE);
		return;
	}
	__u32 position = s->position, fields = s->header.fields;
	int is_empty = !w->length[0] && !w->length[1] && !w->socket;
	s->witness.socket = w->socket;
	append_witnessed_path(s, w, 0);
	append_witnessed_path(s, w, 1);
	append_witnessed_addresses(s, w);
	int is_own = *(volatile __u64 *)&w->task == task;
	if (is_empty || !is_own) {
		s->position = position;
		s->header.fields = fields;
		s->witness.socket = 0;
		field_missing(s, EBT_FIELD_WITNESS, EBT_ARG_NONE, EBT_UNAVAILABLE);
	}
	if (is_own && !keep)
		release_witness(w);
}

/* At the start of a call's or an exec's record: what was witnessed of it, or that nothing was. */
INLINE void capture_witness(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	int is_exec = s->header.kind == EBT_EXEC;
	s->witness.socket = 0;
	if (!HAS_FEATURE(witnesses) || !plan->witness)
		return;
	if (is_exec || s->witness.mode == WITNESS_TAKEN)
		append_witness(s, task, is_exec && is_exec_recorded(task));
	else if (s->step_list && (plan->flags & EBT_PLAN_WITNESSED))
		field_missing(s, EBT_FIELD_WITNESS, EBT_ARG_NONE, EBT_UNAVAILABLE);
}

#endif
