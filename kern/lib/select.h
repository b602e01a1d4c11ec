/* SPDX-License-Identifier: GPL-2.0 */
/* Which calls and process events are selected at all. */
#ifndef EBT_LIB_SELECT_H
#define EBT_LIB_SELECT_H

#include "kern/base/maps.h"
#include "kern/lib/tier.h"

INLINE const struct ebt_settings *current_settings(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

INLINE int is_self(const struct ebt_settings *set, __u64 ids)
{
	return set->self_tgid == ids >> 32;
}

INLINE int is_own_process(__u64 ids)
{
	const struct ebt_settings *set = current_settings();
	return set && is_self(set, ids);
}

/* The rows of a call's number; null when it is not selected in any ABI. */
INLINE const struct ebt_numbers *selected_rows(__s64 raw_nr)
{
	__u32 nr = raw_nr;
	__u32 index = number_of(nr);
	if ((__s32)nr < 0 || index >= EBT_NUMBERS)
		return 0;
	const struct ebt_numbers *rows = bpf_map_lookup_elem(&numbers, &index);
	return rows && *(const __u64 *)rows->row ? rows : 0;
}

/* Row of the call in its ABI; 0 when it is not selected in that one. */
INLINE __u32 select_row(struct call *call, const struct ebt_numbers *rows, __u64 task, __s64 raw_nr)
{
	identify_call(call, task, raw_nr);
	__u32 row = rows->row[call->abi & 3];
	return call->row = is_number_of(call->abi, raw_nr) ? row : 0;
}

INLINE int is_selected(__u32 row)
{
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	return plan && ((plan->flags & EBT_INCLUDE_ALL) || plan->predicates);
}

#endif
