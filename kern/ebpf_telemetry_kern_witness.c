/* SPDX-License-Identifier: GPL-2.0 */
/* Kprobes that witness what the kernel acts on: an object beside that of the tier. */
#define TIER_KPROBE
#define TIER_RING
#define TIER_WALK_STEPS 75
#define TIER_ARGV_STEPS 1
#define TIER_TRANSFER_STEPS 1

#include "kern/lib/witness/hooks.h"
