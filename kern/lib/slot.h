/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scratch buffers. A program owns one from its hook to the end of its record,
 * across tail calls. Where programs can be preempted (7.0 and later) another
 * task may run on the same CPU meanwhile, and takes the next slot.
 */
#ifndef EBT_LIB_SLOT_H
#define EBT_LIB_SLOT_H

#include "kern/base/maps.h"

/* A slot in hand; `scratch` is null when there is none. */
struct claim {
	struct ebt_slot *slot;
	struct scratch *scratch;
	__u32 index;
};

/*
 * Add, then look: of several that come at once none or one sees 1, on every
 * kernel (an add that returns the old value needs 5.12).
 */
INLINE int slot_take(struct ebt_slot *slot, __u64 task)
{
	__sync_fetch_and_add(&slot->busy, 1);
	if (*(volatile __u64 *)&slot->busy == 1) {
		slot->owner = task;
		return 1;
	}
	__sync_fetch_and_add(&slot->busy, -1);
	return 0;
}

INLINE void claim_slot(struct claim *claim, __u64 task)
{
	__u32 index = bpf_get_smp_processor_id() * EBT_SLOTS;
	struct ebt_slot *first = bpf_map_lookup_elem(&slots, &index);
	claim->scratch = 0;
	if (!first)
		return;
	claim->slot = first;
	if (!slot_take(first, task)) {
		index++;
		struct ebt_slot *second = bpf_map_lookup_elem(&slots, &index);
		if (!second || !slot_take(second, task)) {
			__sync_fetch_and_add(&first->missed, 1);
			return;
		}
		claim->slot = second;
	}
	claim->index = index;
	claim->scratch = bpf_map_lookup_elem(&scratches, &index);
	if (claim->scratch)
		claim->scratch->tail_calls = 0;
}

/* The slot that an earlier stage of this run claimed. */
INLINE void resume_slot(struct claim *claim)
{
	__u64 task = bpf_get_current_task();
	__u32 index = bpf_get_smp_processor_id() * EBT_SLOTS;
	struct ebt_slot *slot = bpf_map_lookup_elem(&slots, &index);
	claim->scratch = 0;
	if (!slot)
		return;
	if (slot->owner != task) {
		index++;
		slot = bpf_map_lookup_elem(&slots, &index);
		if (!slot || slot->owner != task)
			return;
	}
	claim->slot = slot;
	claim->index = index;
	claim->scratch = bpf_map_lookup_elem(&scratches, &index);
}

INLINE void release_slot(struct ebt_slot *slot)
{
	slot->owner = 0;
	__sync_fetch_and_add(&slot->busy, -1);
}

#endif
