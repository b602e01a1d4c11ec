/* SPDX-License-Identifier: GPL-2.0 */
/* Raw tracepoints: 5.3 and later. Loops, and the ring buffer where there is one. */
#define TIER_RAW
#define TIER_LOOPS
#define TIER_RING
#define TIER_DIRECT
#define TIER_WALK_STEPS 80
#define TIER_ARGV_STEPS 256
#define TIER_TRANSFER_STEPS 16
#define TIER_SCREEN_STEPS 8
#define TIER_WALK_INLINE 8

#include "kern/lib/programs.h"
