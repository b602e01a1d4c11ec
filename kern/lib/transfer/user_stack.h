/* SPDX-License-Identifier: GPL-2.0 */
/* The stack of who sends or connects. */
#ifndef EBT_LIB_TRANSFER_USER_STACK_H
#define EBT_LIB_TRANSFER_USER_STACK_H

#include "kern/lib/capture/user_memory.h"
#include "kern/lib/emit.h"

/* The registers and the stack that the caller has in user space, for user space to unwind. */
INLINE void capture_user_stack(struct scratch *s, __u64 task)
{
	if (!has_room(s, sizeof(struct ebt_registers) + EBT_STACK_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_USER_STACK, EBT_ARG_NONE);
	struct ebt_registers *registers = (void *)(field + 1);
	__s64 error = READ_AT(registers, task_registers(task));
	field->flags = EBT_USER_MEMORY;
	if (error || !user_ip(registers)) { /* a thread of the kernel, or one of io_uring's */
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	__u64 sp = (__u64)user(user_sp(registers)), read = EBT_STACK_MAX;
	__u64 at = s->position + sizeof(*field) + sizeof(*registers);
	if (bpf_probe_read_user(record_at(s, at), EBT_STACK_MAX, (void *)sp))
		read = read_user_pages(s, at, sp, EBT_STACK_MAX);
	__u32 length = sizeof(*registers) + read;
	field_end(s, field, EBT_OK, length & RECORD_MASK, length);
}

/* The stage: the caller's stack. */
INLINE void run_stack(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	if (!claim.scratch)
		return;
	capture_user_stack(claim.scratch, bpf_get_current_task());
	continue_in(ctx, &claim, STAGE_CAPTURE);
}

#endif
