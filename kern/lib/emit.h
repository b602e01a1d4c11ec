/* SPDX-License-Identifier: GPL-2.0 */
/* Handing the finished record over, and accounting for it. */
#ifndef EBT_LIB_EMIT_H
#define EBT_LIB_EMIT_H

#include "slot.h"
#include "tier.h"

#ifdef TIER_RING
/*
 * The reader is woken when this slot has written so many bytes, not for each record: a
 * wake-up costs many times what the record does. What waits longer its time-out fetches.
 * A stream's is urgent: what /proc has to add goes with the process, and there are few.
 */
INLINE __u64 ring_wakeup(struct ebt_slot *slot, __u64 size, int urgent)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	slot->unwoken += size;
	if (!set || (!urgent && slot->unwoken < set->wakeup_bytes))
		return BPF_RB_NO_WAKEUP;
	slot->unwoken = 0;
	return BPF_RB_FORCE_WAKEUP;
}
#endif

INLINE __s64 output(void *ctx, struct scratch *s, struct ebt_slot *slot, __u64 size)
{
#ifdef TIER_RING
	if (HAS_FEATURE(ring_buffer))
		return bpf_ringbuf_output(&events, s->record, size,
					  ring_wakeup(slot, size, s->header.kind == EBT_STREAM));
#endif
	return bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, s->record, size);
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

#define ENOENT 2
#define EOPNOTSUPP 95

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
		slot->lost[why_refused(error)]++;
		slot->last_lost = slot->sequence;
	}
}

/* What every kernel allows in one run. */
#define TAIL_CALLS 33

INLINE void jump(void *ctx, struct scratch *s, __u32 stage)
{
	s->tail_calls++;
	bpf_tail_call(ctx, &stages, stage);
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
