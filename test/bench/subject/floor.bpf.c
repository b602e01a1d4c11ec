/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floors: the least that any tracer at the end of all system calls pays. `empty` does
 * nothing; `bitmap` asks whether the call is selected; `record` sends, of selected calls, a
 * fixed 200 bytes with what every tracer tells: when, who, which call, how it was called,
 * what came of it, and the start of the string that its path argument points to.
 * x86-64 only, as everything here.
 */
#include <linux/bpf.h>

#include "test/bench/subject/floor.h"
#include <bpf/bpf_helpers.h>

_Static_assert(sizeof(struct floor_record) == 200, "the floor's record has 200 bytes");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FLOOR_CALLS);
    __type(key, __u32);
    __type(value, struct floor_call);
} calls SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, FLOOR_RING_BYTES);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
} perf SEC(".maps");

/* Losses are the reader's to know. Shared by all CPUs, touched when a record finds no room. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} lost SEC(".maps");

/* struct pt_regs of x86-64 */
struct registers {
    __u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};

struct context {
    __u64 args[3];
};

#define INLINE static __attribute__((always_inline)) inline

SEC("raw_tp/sys_exit")
int empty(struct context* ctx) {
    return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int empty_tp(void* ctx) {
    return 0;
}

INLINE struct floor_call* selected(struct context* ctx) {
    __u32 nr = FLOOR_CALLS;
    bpf_probe_read_kernel(&nr, sizeof(nr), &((struct registers*)ctx->args[0])->orig_ax);
    struct floor_call* call = bpf_map_lookup_elem(&calls, &nr);
    return call && call->is_selected ? call : 0;
}

SEC("raw_tp/sys_exit")
int bitmap(struct context* ctx) {
    struct floor_call* call = selected(ctx);
    if (call)
        call->hits++; /* or else there would be nothing to ask for */
    return 0;
}

INLINE void who(struct floor_record* record) {
    record->time = bpf_ktime_get_ns();
    record->pid_tgid = bpf_get_current_pid_tgid();
    record->uid_gid = bpf_get_current_uid_gid();
    bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* False: the call's flags are not those asked for. */
INLINE int what(struct context* ctx, const struct floor_call* call, struct floor_record* record) {
    struct registers registers;
    if (bpf_probe_read_kernel(&registers, sizeof(registers), (void*)ctx->args[0]))
        return 0;
    record->args[0] = registers.di;
    record->args[1] = registers.si;
    record->args[2] = registers.dx;
    record->args[3] = registers.r10;
    record->args[4] = registers.r8;
    record->args[5] = registers.r9;
    record->nr = registers.orig_ax;
    record->ret = ctx->args[1];
    if (call->flags && !(registers.dx & call->flags))
        return 0;
    __u64 path = record->args[call->path_argument & 1];
    if (call->has_path)
        bpf_probe_read_user_str(record->path, sizeof(record->path), (void*)path);
    return 1;
}

INLINE void count_loss(void) {
    __u32 zero = 0;
    __u64* count = bpf_map_lookup_elem(&lost, &zero);
    if (count)
        ++*count;
}

INLINE void to_ring(struct floor_record* record) {
    __u64 before = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
    __u64 crossed = before ^ (before + sizeof(*record));
    __u64 wake = crossed >= FLOOR_WAKEUP_BYTES ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
    if (bpf_ringbuf_output(&ring, record, sizeof(*record), wake))
        count_loss();
}

INLINE void to_perf(void* ctx, struct floor_record* record) {
    if (bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, record, sizeof(*record)))
        count_loss();
}

SEC("raw_tp/sys_exit")
int record_ring(struct context* ctx) {
    struct floor_call* call = selected(ctx);
    if (!call)
        return 0;
    struct floor_record record = {};
    if (!what(ctx, call, &record))
        return 0;
    who(&record);
    to_ring(&record);
    return 0;
}

SEC("raw_tp/sys_exit")
int record_perf(struct context* ctx) {
    struct floor_call* call = selected(ctx);
    if (!call)
        return 0;
    struct floor_record record = {};
    if (!what(ctx, call, &record))
        return 0;
    who(&record);
    to_perf(ctx, &record);
    return 0;
}

/* A process's end: a record of its own, as execve's above. */
SEC("raw_tp/sched_process_exit")
int exit_ring(struct context* ctx) {
    struct floor_record record = {};
    who(&record);
    to_ring(&record);
    return 0;
}

SEC("raw_tp/sched_process_exit")
int exit_perf(struct context* ctx) {
    struct floor_record record = {};
    who(&record);
    to_perf(ctx, &record);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
