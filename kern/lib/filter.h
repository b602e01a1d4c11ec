/* SPDX-License-Identifier: GPL-2.0 */
/* The numeric part of the rules, evaluated before anything is captured. */
#ifndef EBT_LIB_FILTER_H
#define EBT_LIB_FILTER_H

#include "kern/lib/emit.h"
#include "kern/lib/header.h"
#include "kern/lib/witness/witness.h"

/* 1 when x != 0; arithmetic instead of branches, each of which doubles the verifier's paths. */
INLINE __u64 non_zero(__u64 x)
{
	return (x | -x) >> 63;
}

/* 1 when x < y, unsigned: the borrow of x - y. */
INLINE __u64 below(__u64 x, __u64 y)
{
	return ((~x & y) | (~(x ^ y) & (x - y))) >> 63;
}

INLINE __u64 predicate_holds(const struct ebt_predicate *predicate, __u64 value)
{
	__u64 operand = predicate->operand;
	value <<= predicate->shift & 63;
	__u64 equal = non_zero(value ^ operand) ^ 1;
	__u64 all = non_zero((value & operand) ^ operand) ^ 1;
	__u64 any = non_zero(value & operand);
	/* Signed order is unsigned order with the sign bits turned over. */
	__u64 sign = (__u64)(predicate->flags & EBT_SIGNED) << 63;
	__u64 less = below(value ^ sign, operand ^ sign);
	__u64 more = below(operand ^ sign, value ^ sign);
	__u64 results = equal << EBT_EQ | (equal ^ 1) << EBT_NE | less << EBT_LT | more << EBT_GT |
			all << EBT_ALL_BITS | any << EBT_ANY_BITS;
	return results >> (predicate->operator_ & 7) & 1;
}

/* Does the plan, which has so many predicates at most, want a call with these values? */
INLINE int filter_passes(const struct ebt_plan *plan, struct scratch *s, int most)
{
	__u64 clause = 1, included = plan->flags & EBT_INCLUDE_ALL, excluded = 0;
	__u64 screens = plan->screens;
	__u64 count = plan->predicates;
	TIER_LOOP
	for (int i = 0; i < most; i++) {
		OPAQUE(count); /* else the compiler keeps the loop */
		if (i >= count)
			break;
		const struct ebt_predicate *predicate = &plan->predicate[i];
		clause &=
		    predicate_holds(predicate, s->values[predicate->value & (EBT_VALUES - 1)]);
		__u64 end = predicate->flags >> 1 & 1;
		__u64 exclude = predicate->flags >> 2 & 1;
		__u64 includes = clause & end & (exclude ^ 1);
		included |= includes;
		screens |= -includes & predicate->screens;
		excluded |= clause & end & exclude;
		clause |= end;
	}
	s->screens = screens;
	return included & (excluded ^ 1) & 1;
}

INLINE void filter_out(void *ctx, struct claim *claim)
{
	claim->slot->filtered++;
	drop_witness(claim);
	end_record(ctx, claim);
}

/* What comes before the comparisons, and of a plan without any in their place. */
INLINE void filter_begin(struct scratch *s, __u64 task, const struct ebt_plan *plan)
{
	s->vital = plan->flags & EBT_PLAN_VITAL;
	if (plan->flags & EBT_PLAN_IDENTITY)
		header_identity(s, task);
	s->screens = plan->screens;
	filter_values(s);
}

/* Goes on with a record whose header is begun: filter, then capture. */
INLINE void filter_and_capture(void *ctx, struct claim *claim, __u64 task,
			       const struct ebt_plan *plan)
{
	filter_begin(claim->scratch, task, plan);
	continue_in(ctx, claim, plan->predicates ? STAGE_FILTER : STAGE_CAPTURE);
}

/* The stage: drops what the rules do not want. */
INLINE void run_filter(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	__u32 row = s->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (!plan)
		return;
	if (filter_passes(plan, s, EBT_PREDICATES))
		continue_in(ctx, &claim, STAGE_CAPTURE);
	else
		filter_out(ctx, &claim);
}

#endif
