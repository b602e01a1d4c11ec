/* SPDX-License-Identifier: GPL-2.0 */
/* What a record costs that goes to a ring buffer, and nothing else; rings.cpp runs it on several CPUs. */
#include <linux/bpf.h>

#include "test/bench/subject/rings.h"
#include <bpf/bpf_helpers.h>

/* The ring of each CPU, by its number: the same one, or one of its own. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} rings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u8[RINGS_RECORD_BYTES]);
} record SEC(".maps");

/* Records that found no room. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} refused SEC(".maps");

SEC("raw_tp")
int write_records(void* ctx) {
    __u32 cpu = bpf_get_smp_processor_id(), zero = 0;
    void* ring = bpf_map_lookup_elem(&rings, &cpu);
    void* bytes = bpf_map_lookup_elem(&record, &zero);
    __u64* failed = bpf_map_lookup_elem(&refused, &zero);
    if (!ring || !bytes || !failed)
        return 1;
#pragma clang loop unroll(disable)
    for (int i = 0; i < RINGS_RECORDS_A_RUN; i++)
        if (bpf_ringbuf_output(ring, bytes, RINGS_RECORD_BYTES, BPF_RB_NO_WAKEUP))
            ++*failed;
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
