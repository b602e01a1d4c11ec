/* SPDX-License-Identifier: MIT */
/* What rings.bpf.c and rings.cpp agree on. */
#ifndef EBT_BENCH_RINGS_H
#define EBT_BENCH_RINGS_H

#define RINGS_RECORD_BYTES 640 /* as an openat's, roughly */
#define RINGS_RECORDS_A_RUN 1024
#define RINGS_BYTES (16 << 20)

#endif
