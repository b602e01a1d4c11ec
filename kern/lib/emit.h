/* SPDX-License-Identifier: GPL-2.0 */
/* Emitting the finished record, accounting for it, and what comes after it. */
#ifndef EBT_LIB_EMIT_H
#define EBT_LIB_EMIT_H

#include "kern/lib/slot.h"
#include "kern/lib/tier.h"
#include "kern/base/uapi.h"

#ifdef TIER_RING
/*
 * The reader is woken when this slot has written so many bytes, not for each record: a
 * wake-up costs many times what the record does. The time-out of the reader fetches what waits
 * longer. Transfers are urgent and few: what user space adds from /proc goes with the process.
 */
INLINE __u64 ring_wakeup(struct ebt_slot *slot, const struct ebt_settings *set, __u64 size,
			 int urgent)
{
	slot->since_wakeup += size;
	if (!urgent && slot->since_wakeup < set->wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	slot->since_wakeup = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/*
 * Has the ring no more room than is reserved for vital records? It is queried now and then
 * only, since the answer is in memory that all CPUs write to.
 */
INLINE int ring_is_tight(void *ring, struct ebt_slot *slot, const struct ebt_settings *set,
			 __u32 size)
{
	slot->since_query += size;
	if (slot->tight || slot->since_query >= set->query_bytes) {
		slot->since_query = 0;
		slot->tight = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > set->ordinary_bytes;
	}
	return slot->tight;
}

/*
 * The ring of this CPU's group. CPUs that write to one ring wait for each other, and those that
 * come online later than the rings were made share them with others.
 */
INLINE void *ring_of_cpu(void)
{
	if (!HAS_FEATURE(ring_shift))
		return &events;
	__u32 group = bpf_get_smp_processor_id() >> FEATURE(ring_shift) & FEATURE(ring_mask);
	return bpf_map_lookup_elem(&rings, &group);
}

INLINE __s64 ring_output(struct scratch *s, struct ebt_slot *slot, __u64 size)
{
	__u32 zero = 0;
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	void *ring = ring_of_cpu();
	if (!set || !ring || (!s->vital && ring_is_tight(ring, slot, set, size)))
		return -ENOSPC;
	return bpf_ringbuf_output(ring, s->record, size,
				  ring_wakeup(slot, set, size, s->header.kind == EBT_TRANSFER));
}
#endif

/*
 * How much a perf buffer holds cannot be queried, nor, below 5.1, whether it took a record.
 * So vital records have buffers of their own, and go to the others when these are full.
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

/* Remembers that user space has the whole image of this process. */
INLINE void remember_image(const struct scratch *s)
{
	struct known_image image = {
	    .start_time = s->header.start_time,
	    .exec_id = s->header.exec_id,
	    .nsproxy = s->task.nsproxy,
	};
	__u32 tgid = s->header.tgid;
	bpf_map_update_elem(&known_images, &tgid, &image, BPF_ANY);
}

/* Counts the record that has the slot's last number as lost. */
INLINE void count_loss(struct ebt_slot *slot, enum ebt_loss cause)
{
	slot->lost[cause]++;
	slot->last_lost = slot->sequence;
}

/* A CPU has no perf buffer yet, or lost the one that it had when it was taken offline. */
INLINE enum ebt_loss why_refused(__s64 error)
{
	return error == -ENOENT || error == -EOPNOTSUPP ? EBT_LOST_NO_BUFFER : EBT_LOST_BUFFER_FULL;
}

/* Emits the record. Every one takes a sequence number: a gap is a loss. */
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

INLINE void tail_call(void *ctx, struct scratch *s, __u32 stage)
{
	s->tail_calls++;
	/* Where the stage stands in the code the kernel jumps there; else it looks into the map. */
	if (__builtin_constant_p(stage))
		bpf_tail_call_static(ctx, &stages, stage);
	else
		bpf_tail_call(ctx, &stages, stage);
}

/* May a stage call itself once more and leave the others what they need? */
INLINE int may_repeat(const struct scratch *s)
{
	return s->tail_calls + s->reserved_calls < TAIL_CALLS;
}

/* Begins the record that comes after this one, or releases the slot. */
INLINE void end_record(void *ctx, struct claim *claim)
{
	__u32 stage = claim->scratch->next_record_stage;
	if (stage) {
		claim->scratch->next_record_stage = 0;
		tail_call(ctx, claim->scratch, stage);
		claim->slot->seen++;
		claim->slot->lost[EBT_LOST_TAIL_CALL]++;
	}
	release_slot(claim->slot);
}

INLINE void emit_and_end(void *ctx, struct claim *claim)
{
	emit(ctx, claim);
	end_record(ctx, claim);
}

/* Continues in another stage. Where the kernel refuses the tail call, emits what is there. */
INLINE void continue_in(void *ctx, struct claim *claim, __u32 stage)
{
	tail_call(ctx, claim->scratch, stage);
	claim->scratch->header.flags |= EBT_LOST_FIELDS;
	emit_and_end(ctx, claim);
}

#endif
