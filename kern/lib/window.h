/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members of one structure that stand close together cost one helper call. Each group is in this
 * order on every kernel but those built with randomised structures. A tier without loops has no
 * instructions for both ways: there the loader passes it over where a group is scattered
 * (Offsets::scattered). In the tier with loops the condition is false then, or where no helper is
 * needed, and the verifier drops the branch.
 */
#ifndef EBT_LIB_WINDOW_H
#define EBT_LIB_WINDOW_H

#include "kern/base/scratch.h"
#include "kern/lib/tier.h"

#ifdef TIER_LOOPS
#define IN_WINDOW(structure, first, last, last_size)                                               \
	(!DIRECT &&                                                                                \
	 OFFSET(structure, last) - OFFSET(structure, first) <= WINDOW - (__u64)(last_size))
#else
#define IN_WINDOW(structure, first, last, last_size) 1
#endif

#define READ_SPAN(s, base, structure, first, last, last_size)                                      \
	bpf_probe_read_kernel((s)->window, SPAN(structure, first, last, last_size),                \
			      (void *)((base) + OFFSET(structure, first)))

/*
 * Where the compiler kept a distance on the stack, a verifier before 5.10 has forgotten by the load
 * that it is a constant: the mask says again that it stays in the window.
 */
INLINE __u64 in_window(__u64 distance)
{
	asm volatile("%0 &= %1" : "+r"(distance) : "i"(WINDOW - 1));
	return distance;
}

INLINE __u64 window_word(const struct scratch *s, __u64 distance)
{
	return *(const __u64 *)((const __u8 *)s->window + in_window(distance));
}

/* A member in the window that begins with another. */
#define WINDOW_MEMBER(type, s, structure, first, member)                                           \
	(*(type *)((__u8 *)(s)->window +                                                           \
		   in_window(OFFSET(structure, member) - OFFSET(structure, first))))

#endif
