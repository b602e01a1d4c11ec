/* SPDX-License-Identifier: GPL-2.0 */
/* Argument vectors that a call was given: one step a string. */
#ifndef EBT_LIB_CAPTURE_ARGV_H
#define EBT_LIB_CAPTURE_ARGV_H

#include "kern/lib/capture/user_memory.h"
#include "kern/lib/emit.h"

/* Aims the cursor at an argument vector in user memory. */
INLINE enum outcome capture_argv(struct scratch *s, const struct ebt_step *step)
{
	struct argv_cursor *c = &s->argv;
	if (!has_room(s, PAGE_SIZE))
		return CAPTURED;
	struct ebt_field *field = field_begin(s, EBT_FIELD_ARGV, step->arg);
	field->flags = EBT_USER_MEMORY;
	c->pointer = (__u64)user(s->values[step->arg & 7]);
	c->field = s->position;
	c->end = s->position + sizeof(*field);
	c->limit = c->end + EBT_ARGV_MAX;
	if (c->limit > EBT_RECORD_MAX)
		c->limit = EBT_RECORD_MAX;
	c->width = pointer_size(s->header.abi);
	c->string = 0; /* an element of 4 bytes fills half of it */
	return NEEDS_ARGV;
}

/* Reads the element that the cursor stands at. */
INLINE __s64 argv_element(struct argv_cursor *c)
{
	return bpf_probe_read_user(&c->string, bounded(c->width, 8), (void *)c->pointer);
}

/* Copies one string of the vector; 0 when it was the last. */
INLINE int argv_step(struct scratch *s)
{
	OPAQUE(s); /* as in walk_step */
	struct argv_cursor *c = &s->argv;
	argv_element(c);
	/* A failed read leaves 0 too; what looks negative is the kernel's memory. */
	if ((__s64)c->string <= 0)
		return 0;
	__u64 end = c->end, room = c->limit - end;
	__s64 length = forget_range(&c->got, bpf_probe_read_user_str(record_at(s, end),
								     bounded(room, EBT_ARGV_MAX),
								     (void *)c->string));
	if (length < 0)
		return 0;
	/* 0 is what 5.10 to 6.x say of an empty string; they do store its NUL. */
	c->end = end + length + !length;
	c->pointer += c->width;
	return length < room;
}

/* Why the vector ended. */
INLINE __u8 argv_status(struct argv_cursor *c)
{
	if (!c->string)
		return argv_element(c) ? EBT_FAULT : EBT_OK;
	return c->got < 0 || (__s64)c->string < 0 ? EBT_FAULT : EBT_TRUNCATED;
}

INLINE int argv_some(struct scratch *s)
{
	TIER_LOOP
	for (int i = 0; i < TIER_ARGV_STEPS; i++) {
		if (!argv_step(s))
			return 1;
	}
	return 0;
}

/* The stage: copies an argument vector. */
INLINE void run_argv(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	struct argv_cursor *c = &s->argv;
	int whole = argv_some(s);
	if (!whole && may_repeat(s))
		tail_call(ctx, s, STAGE_ARGV);
	struct ebt_field *field = record_at(s, c->field);
	__u32 length = c->end - c->field - sizeof(*field);
	__u8 status = whole ? argv_status(c) : EBT_TRUNCATED;
	/* How much more there was is not known without reading it. */
	if (status != EBT_OK)
		field->flags |= EBT_AT_LEAST;
	field_end(s, field, status, length, length);
	continue_in(ctx, &claim, STAGE_CAPTURE);
}

#endif
