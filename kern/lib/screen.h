/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dropping a whole record none of whose paths the rules can want: it is looked through for groups
 * of bytes that such paths have, see ebt_screen. Bytes that are no path's may have them too, and
 * the record is emitted then: user space decides.
 */
#ifndef EBT_LIB_SCREEN_H
#define EBT_LIB_SCREEN_H

#include "kern/lib/emit.h"
#include "kern/lib/field.h"

#define SCREEN_BYTES 64 /* looked at in one step */

/* Is nothing of the record hidden, wanted for itself, or followed by another record? */
INLINE int may_screen(const struct scratch *s)
{
#ifdef TIER_KPROBE
	return 0;
#else
	return HAS_FEATURE(screened) && s->screens && !(s->screens & EBT_SCREEN_KEEP) &&
	       !s->uncertain && !(s->header.flags & (EBT_IMAGE | EBT_LOST_FIELDS)) &&
	       !s->next_record_stage;
#endif
}

/* A record that has all that was to be captured goes through the screen, if any is meant for it. */
INLINE void screen(void *ctx, struct claim *claim)
{
	if (may_screen(claim->scratch)) {
		claim->scratch->screened = sizeof(struct ebt_header);
		tail_call(ctx, claim->scratch, STAGE_SCREEN);
	}
}

#ifndef TIER_KPROBE
/* What the last step sees behind the record is not of an earlier one. */
INLINE void clear_behind(struct scratch *s)
{
	__u64 *end = record_at(s, s->position);
#pragma clang loop unroll(full)
	for (int i = 0; i < SCREEN_BYTES / 8 + 1; i++)
		end[i] = 0;
}

/* The screens of the groups in one step. */
INLINE __u64 screens_at(const struct ebt_screen *screen, struct scratch *s, __u64 position)
{
	const __u8 *at = record_at(s, position);
	__u64 found = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < SCREEN_BYTES; i += 2) {
		__u64 group = *(const __u32 *)(at + i) & ((1 << 8 * EBT_SCREEN_GROUP) - 1);
		found |=
		    screen->cell[EBT_SCREEN_FIRST(group)] & screen->cell[EBT_SCREEN_SECOND(group)];
		OPAQUE(found); /* one group after the other, or the stack is full of them */
	}
	return found;
}

/* The stage: drops the record, emits it, or goes on with the rest of it. */
INLINE void run_screen(void *ctx)
{
	struct claim claim;
	__u32 zero = 0;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	const struct ebt_screen *screen = bpf_map_lookup_elem(&screens, &zero);
	if (!s || !screen)
		return;
	clear_behind(s);
	TIER_LOOP
	for (int i = 0; i < TIER_SCREEN_STEPS; i++) {
		if (s->screened >= s->position) {
			claim.slot->filtered++;
			end_record(ctx, &claim);
			return;
		}
		if (screens_at(screen, s, s->screened) & s->screens) {
			emit_and_end(ctx, &claim);
			return;
		}
		s->screened += SCREEN_BYTES;
	}
	if (s->tail_calls < TAIL_CALLS)
		tail_call(ctx, s, STAGE_SCREEN);
	emit_and_end(ctx, &claim);
}
#endif

#endif
