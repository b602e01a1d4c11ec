/* SPDX-License-Identifier: GPL-2.0 */
/* Copies from the memory of the caller. */
#ifndef EBT_LIB_CAPTURE_USER_MEMORY_H
#define EBT_LIB_CAPTURE_USER_MEMORY_H

#include "kern/lib/field.h"
#include "kern/lib/tier.h"

/*
 * What a string helper returned, as a number that the verifier knows nothing about. The
 * verifiers of 4.18 to 5.6 take it for a length that is never negative: they remove the
 * code that handles errors, or turn it into a loop without end, in which the kernel hangs.
 */
INLINE __s64 forget_range(__s64 *in_memory, __s64 result)
{
	*(volatile __s64 *)in_memory = result;
	return *(volatile __s64 *)in_memory;
}

#define ARGV_PAGES (EBT_ARGV_MAX / PAGE_SIZE + 1)

/* Reads a range of user memory page by page, up to the first page that is not there. */
INLINE __u32 read_user_pages(struct scratch *s, __u64 at, __u64 from, __u64 length)
{
	__u64 done = 0;
	TIER_LOOP
	for (int i = 0; i < ARGV_PAGES; i++) {
		OPAQUE(length); /* else the compiler keeps the loop */
		if (done >= length)
			break;
		__u64 chunk = PAGE_SIZE - ((from + done) & (PAGE_SIZE - 1));
		if (chunk > length - done)
			chunk = length - done;
		if (bpf_probe_read_user(record_at(s, at + done), bounded(chunk, PAGE_SIZE),
					(void *)(from + done)))
			break;
		done = forget_range(&s->string_result, done + chunk);
	}
	return done;
}

/*
 * Reads a string of the caller's into a field; returns its first byte, 0 for an empty
 * string or none, '/' where it cannot be read.
 */
INLINE __u8 capture_string_at(struct scratch *s, __u64 pointer, __u8 kind, __u8 arg)
{
	if (!has_room(s, EBT_PATH_MAX))
		return '/';
	struct ebt_field *field = field_begin(s, kind, arg);
	__u8 *text = (void *)(field + 1);
	__u8 flags = EBT_USER_MEMORY, status = EBT_UNAVAILABLE, first = 0, more = 0;
	__u32 bytes = 0;
	__s64 length = 0;
	if (pointer) {
		length = forget_range(&s->string_result,
				      bpf_probe_read_user_str(text, EBT_PATH_MAX, user(pointer)));
		status = EBT_OK;
	}
	if (length < 0) {
		status = EBT_FAULT;
		first = '/';
	}
	if (length > 1) { /* 0 is what 5.10 to 6.x say of an empty string */
		bytes = (length - 1) & (EBT_PATH_MAX - 1);
		first = *text;
	}
	/* A string that fills the room may go on: is the byte after it its end? */
	if (bytes == EBT_PATH_MAX - 1) {
		more = 1;
		bpf_probe_read_user(&more, 1, user(pointer + EBT_PATH_MAX - 1));
	}
	if (more) {
		flags |= EBT_AT_LEAST;
		status = EBT_TRUNCATED;
	}
	field->flags = flags;
	field_end(s, field, status, bytes, bytes + (more != 0));
	return first;
}

/*
 * Copies the bytes that an argument points to, as many as the call says. A null pointer and a
 * length of 0 make no field.
 */
INLINE void capture_bytes(struct scratch *s, const struct ebt_step *step)
{
	__u64 pointer = s->values[step->arg & 7], link = step->link, length = link & 63;
	if (link < EBT_ARGS) {
		OPAQUE(link); /* as in has_base() */
		length = s->values[link & 7];
	}
	if (!pointer || !length || !has_room(s, EBT_BYTES_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_STRING, step->arg);
	field->flags = EBT_USER_MEMORY;
	__u64 kept = length < EBT_BYTES_MAX ? length : EBT_BYTES_MAX;
	if (bpf_probe_read_user(field + 1, bounded(kept, EBT_BYTES_MAX), user(pointer))) {
		field_end(s, field, EBT_FAULT, 0, 0);
		return;
	}
	field_end(s, field, kept < length ? EBT_TRUNCATED : EBT_OK, bounded(kept, EBT_BYTES_MAX),
		  length >> 32 ? ~0U : length);
}

/* A string that is an argument. */
INLINE __u8 capture_string(struct scratch *s, __u8 arg)
{
	return capture_string_at(s, s->values[arg & (EBT_VALUES - 1)], EBT_FIELD_STRING, arg);
}

#endif
