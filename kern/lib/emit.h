/* SPDX-License-Identifier: GPL-2.0 */
/* Handing the finished record over, and accounting for it. */
#ifndef EBT_LIB_EMIT_H
#define EBT_LIB_EMIT_H

#include "kern/lib/slot.h"
#include "kern/lib/tier.h"
#include "kern/lib/uapi.h"

#ifdef TIER_RING
/*
 * The reader is woken when this slot has written so many bytes, not for each record: a
 * wake-up costs many times what the record does. What waits longer its time-out fetches.
 * A stream's is urgent: what /proc has to add goes with the process, and there are few.
 */
INLINE __u64 ring_wakeup(struct ebt_slot *slot, const struct ebt_settings *set, __u64 size,
			 int urgent)
{
	slot->unwoken += size;
	if (!urgent && slot->unwoken < set->wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	slot->unwoken = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/*
 * Has the ring no more room than vital records may need? Asked now and then: the answer
 * stands where all CPUs write.
 */
INLINE int ring_is_tight(struct ebt_slot *slot, const struct ebt_settings *set, __u32 size)
{
	slot->unasked += size;
	if (slot->tight || slot->unasked >= set->ask_bytes) {
		slot->unasked = 0;
		slot->tight = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > set->ordinary_bytes;
	}
	return slot->tight;
}

INLINE __s64 ring_output(struct scratch *s, struct ebt_slot *slot, __u64 size)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	if (!set || (!s->vital && ring_is_tight(slot, set, size)))
		return -ENOSPC;
	return bpf_ringbuf_output(&events, s->record, size,
				  ring_wakeup(slot, set, size, s->header.kind == EBT_STREAM));
}
#endif

/*
 * Nobody can ask a perf buffer how much it holds, and below 5.1 not even whether it took a
 * record: vital records have buffers of their own, and where these are full, the others.
 */
INLINE __s64 perf_output(void *ctx, struct scratch *s, struct ebt_slot *slot, __u64 size)
{
	if (s->vital) {
		if (!bpf_perf_event_output(ctx, &vital_events, BPF_F_CURRENT_CPU, s->record, size))
			return 0;
		slot->spilled++;
	}
	return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, s->record, size);
}

INLINE __s64 output(void *ctx, struct scratch *s, struct ebt_slot *slot, __u64 size)
{
#ifdef TIER_RING
	if (HAS_FEATURE(ring_buffer))
		return ring_output(s, slot, size);
#endif
	return perf_output(ctx, s, slot, size);
}

/* Remembers that user space has this process's image, whole. */
INLINE void remember_image(const struct scratch *s)
{
	struct known_image image = {
	    .start_time = s->header.start_time,
	    .exec_id = s->header.exec_id,
	};
	__u32 tgid = s->header.tgid;
	bpf_map_update_elem(&known, &tgid, &image, BPF_ANY);
}

/* The record that has the slot's last number is lost. */
INLINE void count_loss(struct ebt_slot *slot, enum ebt_loss cause)
{
	slot->lost[cause]++;
	slot->last_lost = slot->sequence;
}

/* Nobody has given this CPU a perf buffer; or it was away, which ended the one that it had. */
INLINE enum ebt_loss why_refused(__s64 error)
{
	return error == -ENOENT || error == -EOPNOTSUPP ? EBT_LOST_NO_BUFFER : EBT_LOST_BUFFER_FULL;
}

/* Sends the record. Every one takes a sequence number: a gap is a loss. */
INLINE void emit(void *ctx, struct claim *claim)
{
	struct scratch *s = claim->scratch;
	struct ebt_slot *slot = claim->slot;
	__u64 size = s->position;
	OPAQUE(size);
	size &= RECORD_MASK;
	if (size < sizeof(struct ebt_header))
		size = sizeof(struct ebt_header);
	if (size > EBT_RECORD_MAX)
		size = EBT_RECORD_MAX;
	s->header.size = size;
	s->header.sequence = ++slot->sequence;
	__s64 error = output(ctx, s, slot, size);
	if (!error) {
		slot->emitted++;
		if (s->image_whole)
			remember_image(s);
	} else {
		count_loss(slot, why_refused(error));
	}
}

/* What every kernel allows in one run. */
#define TAIL_CALLS 33

INLINE void jump(void *ctx, struct scratch *s, __u32 stage)
{
	s->tail_calls++;
	bpf_tail_call(ctx, &stages, stage);
}

/* May a stage call itself once more and leave the others what they need? */
INLINE int may_repeat(const struct scratch *s)
{
	return s->tail_calls + s->reserve < TAIL_CALLS;
}

/* Lets go of the slot, or goes on to the record that comes after this one. */
INLINE void leave(void *ctx, struct claim *claim)
{
	__u32 stage = claim->scratch->then_stage;
	if (stage) {
		claim->scratch->then_stage = 0;
		jump(ctx, claim->scratch, stage);
		claim->slot->seen++;
		claim->slot->lost[EBT_LOST_TAIL_CALL]++;
	}
	release_slot(claim->slot);
}

INLINE void finish(void *ctx, struct claim *claim)
{
	emit(ctx, claim);
	leave(ctx, claim);
}

/* Goes on in another stage; where the kernel allows no more, sends what is there. */
INLINE void go_on(void *ctx, struct claim *claim, __u32 stage)
{
	jump(ctx, claim->scratch, stage);
	claim->scratch->header.flags |= EBT_LOST_FIELDS;
	finish(ctx, claim);
}

#endif
