/* SPDX-License-Identifier: GPL-2.0 */
/* Appending fields to the record. */
#ifndef EBT_LIB_FIELD_H
#define EBT_LIB_FIELD_H

#include "kern/base/maps.h"

/* The record at a position, in reach of the verifier whatever the position. */
INLINE void *record_at(struct scratch *s, __u64 position)
{
	OPAQUE(position);
	return s->record + (position & RECORD_MASK);
}

/*
 * A size from 1 to `most`, a power of two, that every verifier can see is one: those
 * below 5.3 do not follow the comparison that the compiler makes of two checks.
 */
INLINE __u64 bounded(__u64 size, __u64 most)
{
	OPAQUE(size);
	return ((size - 1) & (most - 1)) + 1;
}

/* Is there room for a field of that many bytes? If not, the record says so. */
INLINE int has_room(struct scratch *s, __u32 bytes)
{
	if (s->position + sizeof(struct ebt_field) + bytes <= EBT_RECORD_MAX)
		return 1;
	s->header.flags |= EBT_LOST_FIELDS;
	return 0;
}

/* Starts a field at the end of the record; what is appended follows it. */
INLINE struct ebt_field *field_begin(struct scratch *s, __u8 kind, __u8 arg)
{
	struct ebt_field *field = record_at(s, s->position);
	field->kind = kind;
	field->status = EBT_UNAVAILABLE;
	field->arg = arg;
	field->flags = 0;
	field->length = 0;
	field->original = 0;
	field->count = 0;
	return field;
}

/* A field that is not whole, or a path from no known root, may hide what the rules want. */
INLINE void note_certainty(struct scratch *s, const struct ebt_field *field)
{
	s->uncertain |= field->status ^ EBT_OK;
	s->uncertain |= field->flags & (EBT_DETACHED | EBT_AT_LEAST | EBT_FOREIGN | EBT_DELETED);
}

/* Ends the field with so many bytes of content, padded with zeroes. */
INLINE void field_end(struct scratch *s, struct ebt_field *field, __u8 status, __u32 length,
		      __u32 original)
{
	__u64 end = s->position + sizeof(*field) + length;
	field->status = status;
	field->length = length;
	field->original = original;
	note_certainty(s, field);
	*(__u64 *)record_at(s, end) =
	    0; /* the padding, and up to 8 bytes that come to be overwritten */
	s->position = (end + 7) & ~7ULL;
	s->header.fields++;
}

/* Appends a field without content, with the reason. */
INLINE void field_missing(struct scratch *s, __u8 kind, __u8 arg, __u8 status)
{
	if (!has_room(s, 0))
		return;
	struct ebt_field *field = field_begin(s, kind, arg);
	if (status == EBT_FAULT)
		field->flags = EBT_USER_MEMORY;
	field_end(s, field, status, 0, 0);
}

#endif
