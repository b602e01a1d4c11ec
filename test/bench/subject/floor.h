/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the floor's programs and its reader share. */
#ifndef EBT_BENCH_FLOOR_H
#define EBT_BENCH_FLOOR_H

#include <linux/types.h>

#define FLOOR_CALLS 512
#define FLOOR_RING_BYTES (16 << 20)
#define FLOOR_PERF_PAGES 1024 /* a CPU */
#define FLOOR_WAKEUP_BYTES (64 << 10)

struct floor_call {
    __u32 is_selected;
    __u32 flags; /* any of these bits in the third argument; 0: whatever they are */
    __u32 has_path;
    __u32 path_argument; /* 0 or 1 */
    __u64 hits;
};

struct floor_record {
    __u64 time;
    __u64 pid_tgid;
    __u64 uid_gid;
    __u64 nr;
    __s64 ret;
    __u64 args[6];
    char comm[16];
    char path[96];
};

#endif
