/* SPDX-License-Identifier: GPL-2.0 */
/* Records that are lost on purpose, before anything is captured of them. */
#ifndef EBT_LIB_CAPTURE_SHED_H
#define EBT_LIB_CAPTURE_SHED_H

#include "kern/lib/emit.h"

/* Counts the event of a process. Has it had its share of this second? */
INLINE int is_over_rate(__u32 tgid)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	if (!set || !set->events_per_process)
		return 0;
	struct rate first = {.second = bpf_ktime_get_ns() / 1000000000, .events = 1};
	struct rate *rate = bpf_map_lookup_elem(&rates, &tgid);
	if (!rate) {
		bpf_map_update_elem(&rates, &tgid, &first, BPF_ANY);
		return 0;
	}
	if (rate->second != first.second) {
		rate->second = first.second;
		rate->events = 0;
	}
	__sync_fetch_and_add(&rate->events, 1);
	return rate->events > set->events_per_process;
}

/* Has user space switched ordinary records off for now? */
INLINE int is_shedding(void)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	return set && set->shed;
}

/* Counts the record as lost: it is not going to be written. */
INLINE int refuse_record(struct ebt_slot *slot, enum ebt_loss cause)
{
	slot->sequence++;
	count_loss(slot, cause);
	return 1;
}

/* Is the record, of which nothing is captured yet, to be dropped? Then it is counted. */
INLINE int is_too_many(const struct claim *claim)
{
	const struct scratch *s = claim->scratch;
	if (!HAS_FEATURE(shedding) && !HAS_FEATURE(rate_limit))
		return 0;
	if (s->phase != PHASE_BEGIN || s->vital)
		return 0;
	if (HAS_FEATURE(shedding) && is_shedding())
		return refuse_record(claim->slot, EBT_LOST_MAX_CPU);
	if (HAS_FEATURE(rate_limit) && is_over_rate(s->header.tgid))
		return refuse_record(claim->slot, EBT_LOST_RATE_LIMIT);
	return 0;
}

#endif
