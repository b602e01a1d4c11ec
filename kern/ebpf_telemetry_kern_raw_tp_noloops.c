/* SPDX-License-Identifier: GPL-2.0 */
/* Raw tracepoints: 5.2. A million verified instructions, no loops. */
#define TIER_RAW
#define TIER_WALK_STEPS 240
#define TIER_ARGV_STEPS 240
#define TIER_TRANSFER_STEPS 64
#define TIER_SCREEN_STEPS 8

#include "kern/lib/programs.h"
