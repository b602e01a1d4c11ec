/* SPDX-License-Identifier: GPL-2.0 */
/* The maps. Sizes that depend on the machine are set by the loader. */
#ifndef EBT_BASE_MAPS_H
#define EBT_BASE_MAPS_H

#include "kern/base/scratch.h"

/* Selected system call numbers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EBT_NUMBERS + EBT_IPC_CALLS);
	__type(key, __u32);
	__type(value, struct ebt_numbers);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EBT_ROWS);
	__type(key, __u32);
	__type(value, struct ebt_plan);
} plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ebt_settings);
} settings SEC(".maps");

/* Counters and ownership of the scratch buffers: by cpu * EBT_SLOTS + slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EBT_SLOTS);
	__type(key, __u32);
	__type(value, struct ebt_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EBT_SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* Process images that user space has received, by tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct known_image);
} known_images SEC(".maps");

/*
 * Processes whose end has been reported: threads that end at the same time may each
 * find that they are the last.
 */
struct process_key {
	__u64 start_time;
	__u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, __u8);
} ended_processes SEC(".maps");

/* Registers of an exec that is under way, which a successful one wipes: by task_struct. */
struct exec_call {
	__u32 nr;
	__u16 abi;
	__u16 recorded; /* the call's record is written already */
	__u64 tgid;     /* a task_struct may be another process's later */
	__u64 args[EBT_ARGS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct exec_call);
} exec_calls SEC(".maps");

/* Selected calls that threads have begun, by task_struct; see execution.h. */
struct entered_call {
	__u64 ids;
	__s64 nr; /* -1: that call is over */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct entered_call);
} entered_calls SEC(".maps");

/*
 * What processes have shared with others and may share no more (struct ebt_sharing), by tgid;
 * see sharing.h.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct ebt_sharing);
} sharings SEC(".maps");

/* How often something has been put into `sharings`: one element. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sharing_marks SEC(".maps");

/* How many events of a process there were in a second; with the feature rate_limit. */
struct rate {
	__u64 second;
	__u64 events;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct rate);
} rates SEC(".maps");

/* Indices of the programs in the map `stages`. */
enum stage {
#define STAGE(NAME, name, ...) STAGE_##NAME,
#include "kern/abi/stages.def"
#undef STAGE
	STAGES,
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGES);
	__type(key, __u32);
	__type(value, __u32);
} stages SEC(".maps");

#ifndef TIER_KPROBE
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ebt_screen);
} screens SEC(".maps");
#endif

/* See plan.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ebt_transfer_gate);
} transfer_gate SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ebt_endpoint);
	__type(value, __u8);
} endpoints SEC(".maps");

/* A perf event array; the loader makes it a ring buffer where the kernel has one. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

#ifdef TIER_RING
/* Where more CPUs write than one ring buffer is for: those of their groups. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} rings SEC(".maps");
#endif

/* Perf buffers that vital records have for themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} vital_events SEC(".maps");

#endif
