/* SPDX-License-Identifier: GPL-2.0 */
/* Classic tracepoints: kernels below 4.17. 4096 instructions a program, no loops. */
#define TIER_WALK_STEPS 76
#define TIER_ARGV_STEPS 89
#define TIER_TRANSFER_STEPS 16
#define TIER_SCREEN_STEPS 4

#include "kern/lib/programs.h"
