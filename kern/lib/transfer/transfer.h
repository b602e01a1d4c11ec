/* SPDX-License-Identifier: GPL-2.0 */
/* What calls move over connections to endpoints: records of the kind EBT_TRANSFER. */
#ifndef EBT_LIB_TRANSFER_TRANSFER_H
#define EBT_LIB_TRANSFER_TRANSFER_H

#include "kern/lib/filter.h"
#include "kern/lib/transfer/connection.h"
#include "kern/lib/transfer/user_stack.h"

/*
 * The flags that the call was given; 0 where it has none. They are argument 2 or 3: kernels
 * below 5.3 take no other index into the stack than a constant.
 */
INLINE __u32 move_flags(const __u64 *args, const struct ebt_plan *plan)
{
	__u64 second = args[2], third = args[3];
	OPAQUE(second);
	OPAQUE(third);
	switch (plan->move_flags) {
	case 2:
		return second;
	case 3:
		return third;
	}
	return 0;
}

/* Is it a call that may have opened a connection, and did? */
INLINE int opens_connection(const struct call *call, const struct ebt_plan *plan)
{
	int began = call->ret == -EINPROGRESS;
	if (plan->move == EBT_MOVE_CONNECT) /* one that a signal interrupts goes on by itself */
		return !call->ret || began || call->ret == -EINTR;
	return plan->move_direction == EBT_SENT && (call->ret > 0 || began) &&
	       (move_flags(call->args, plan) & MSG_FASTOPEN);
}

INLINE int moves_bytes(const struct call *call, const struct ebt_plan *plan)
{
	if (plan->move == EBT_MOVE_CONNECT || call->ret < 0)
		return 0;
	if (plan->move_direction == EBT_SENT)
		return call->ret > 0;
	if (move_flags(call->args, plan) & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	/* Receiving nothing means that the peer has closed, unless the buffer was empty. */
	return call->ret > 0 || plan->move != EBT_MOVE_BUFFER || call->args[2];
}

/* Is the call one that may have opened a connection to an endpoint, or moved bytes there? */
INLINE int may_transfer(const struct call *call, const struct ebt_plan *plan)
{
	return opens_connection(call, plan) || (moves_bytes(call, plan) && gate_is_open());
}

/* Sets the cursor to what the call moved. */
INLINE void cursor_begin(struct scratch *s, const struct ebt_plan *plan)
{
	struct transfer_cursor *c = &s->transfer;
	const struct ebt_header *h = &s->header;
	__u32 flags = move_flags(h->args, plan);
	c->buffer = h->args[1];
	c->length = plan->move == EBT_MOVE_BUFFER ? h->ret : 0;
	c->vector = c->vectors = c->message = c->messages = 0;
	c->total = c->left = h->ret;
	c->fault = c->half = 0;
	c->narrow = pointer_size(h->abi) == 4;
	switch (plan->move) {
	case EBT_MOVE_VECTOR:
		c->vector = h->args[1];
		c->vectors = h->args[2];
		break;
	case EBT_MOVE_MESSAGE:
		c->message = h->args[1];
		c->messages = 1;
		break;
	case EBT_MOVE_MESSAGES:
		c->message = h->args[1];
		c->messages = h->ret;
		c->total = c->left = 0;
		break;
	}
	c->several = plan->move == EBT_MOVE_MESSAGES;
	/* The bytes went through no memory of the caller's, or were thrown away. */
	if (h->ret <= 0 || plan->move >= EBT_MOVE_FILE ||
	    (plan->move_direction == EBT_RECEIVED && (flags & MSG_TRUNC)))
		c->unseen = 1;
	else
		c->unseen = 0;
}

/* Starts the field EBT_FIELD_TRANSFER. */
INLINE void transfer_begin(struct scratch *s, const struct ebt_plan *plan, __u64 sk, __u8 arg)
{
	struct transfer_cursor *c = &s->transfer;
	struct ebt_field *field = field_begin(s, EBT_FIELD_TRANSFER, arg);
	struct ebt_transfer *out = (void *)(field + 1);
	field->flags = EBT_USER_MEMORY;
	out->socket = sk;
	out->total = 0;
	out->netns = netns_of(sk);
	out->direction = plan->move_direction;
	if (plan->move == EBT_MOVE_PIPE && !arg)
		out->direction = EBT_RECEIVED;
	if (s->header.ret < 0) /* sent with MSG_FASTOPEN, and not sent yet */
		out->direction = EBT_CONNECTED;
	c->next = stage_after_transfer(out->direction);
	c->field = s->position;
	c->end = s->position + sizeof(*field) + sizeof(*out);
	c->limit = c->end + EBT_TRANSFER_MAX;
	cursor_begin(s, plan);
}

/* Sizes of the structures of sendmmsg(2), and the offsets of their lengths. */
#define MMSGHDR 64
#define MMSGHDR_LENGTH 56
#define MMSGHDR_NARROW 32
#define MMSGHDR_LENGTH_NARROW 28

/* On to the next message. Its struct msghdr begins with an address, then come the buffers. */
INLINE void next_message(struct transfer_cursor *c)
{
	__u64 wide[4] = {};
	__u32 narrow[4] = {};
	__u32 moved = 0;
	__u64 at = c->message;
	__s64 error;
	if (c->narrow) {
		error = bpf_probe_read_user(narrow, sizeof(narrow), user(at));
		c->vector = narrow[2];
		c->vectors = narrow[3];
	} else {
		error = bpf_probe_read_user(wide, sizeof(wide), user(at));
		c->vector = wide[2];
		c->vectors = wide[3];
	}
	if (c->several) {
		__u64 length = at + (c->narrow ? MMSGHDR_LENGTH_NARROW : MMSGHDR_LENGTH);
		error |= bpf_probe_read_user(&moved, sizeof(moved), user(length));
		c->left = moved;
		c->total += moved;
		c->message = at + (c->narrow ? MMSGHDR_NARROW : MMSGHDR);
	}
	if (error)
		c->fault = 1;
	c->messages--;
}

/* On to the next buffer: a struct iovec. */
INLINE void next_buffer(struct transfer_cursor *c)
{
	__u64 wide[2] = {};
	__u32 narrow[2] = {};
	__s64 error;
	if (c->narrow) {
		error = bpf_probe_read_user(narrow, sizeof(narrow), user(c->vector));
		c->buffer = narrow[0];
		c->length = narrow[1];
		c->vector += sizeof(narrow);
	} else {
		error = bpf_probe_read_user(wide, sizeof(wide), user(c->vector));
		c->buffer = wide[0];
		c->length = wide[1];
		c->vector += sizeof(wide);
	}
	if (error)
		c->fault = 1;
	c->vectors--;
}

/* Copies the buffer at hand, unless one before it could not be read. */
INLINE void copy_buffer(struct scratch *s, struct transfer_cursor *c)
{
	__u64 end = c->end, room = c->limit - end, length = c->length, left = c->left;
	if (length > left)
		length = left;
	c->left = left - length;
	c->length = 0;
	if (length > room)
		length = room;
	if (!length || c->fault)
		return;
	if (bpf_probe_read_user(record_at(s, end), bounded(length, EBT_TRANSFER_MAX),
				user(c->buffer))) {
		c->fault = 1;
		c->half = length; /* a part of it may be there */
		return;
	}
	c->end = end + length;
}

/* Takes one step: a buffer or a message. 0 when it was the last. */
INLINE int transfer_step(struct scratch *s)
{
	OPAQUE(s); /* as in walk_step */
	struct transfer_cursor *c = &s->transfer;
	if (!c->length) {
		if (c->fault && !c->several)
			return 0;
		if (c->left && c->vectors) {
			next_buffer(c);
		} else if (c->messages) {
			next_message(c);
			return 1;
		} else {
			return 0;
		}
	}
	copy_buffer(s, c);
	return 1;
}

INLINE int transfer_some(struct scratch *s)
{
	TIER_LOOP
	for (int i = 0; i < TIER_TRANSFER_STEPS; i++) {
		if (!transfer_step(s))
			return 1;
	}
	return 0;
}

/* Ends the field. `whole`: all of the call was looked at. */
INLINE void transfer_end(struct scratch *s, int whole)
{
	struct transfer_cursor *c = &s->transfer;
	if (c->fault && c->half)
		c->end += read_user_pages(s, c->end, c->buffer, c->half);
	/*
	 * Not before that loop: the compiler would keep the masked position on the stack, where
	 * verifiers before 5.10 forget its bounds.
	 */
	struct ebt_field *field = record_at(s, c->field);
	struct ebt_transfer *out = (void *)(field + 1);
	__u32 length = c->end - c->field - sizeof(*field);
	__u64 total = c->total;
	__u64 original = total + sizeof(*out);
	if ((__s64)total < 0) /* connected only */
		original = sizeof(*out), total = 0;
	out->total = total;
	__u8 status = c->fault ? EBT_FAULT : original > length ? EBT_TRUNCATED : EBT_OK;
	if (!whole || original >> 32) {
		field->flags |= EBT_AT_LEAST;
		original = length;
	}
	field_end(s, field, status, length & RECORD_MASK, original);
}

/* Continues with the ordinary record of the call, if the rules want one. */
INLINE void call_without_transfer(void *ctx, struct claim *claim, const struct ebt_plan *plan)
{
	if (plan->flags & EBT_PLAN_TRANSFER_ONLY)
		filter_out(ctx, claim);
	else
		filter_and_capture(ctx, claim, bpf_get_current_task(), plan);
}

/* The stage: is it a connection to an endpoint? */
INLINE void run_transfer(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	__u32 row = s->row, zero = 0;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (!plan)
		return;
	read_resources(s, bpf_get_current_task());
	__u8 arg = 0;
	__u64 sk = capture_endpoint_socket(s, 0);
	if (!sk && plan->move == EBT_MOVE_PIPE) {
		arg = 2;
		sk = capture_endpoint_socket(s, 2);
	}
	if (!sk) {
		call_without_transfer(ctx, &claim, plan);
		return;
	}
	struct ebt_transfer_gate *gate = bpf_map_lookup_elem(&transfer_gate, &zero);
	if (gate &&
	    (plan->move == EBT_MOVE_CONNECT || (move_flags(s->header.args, plan) & MSG_FASTOPEN)))
		__sync_fetch_and_add(&gate->connects, 1);
	s->header.kind = EBT_TRANSFER;
	s->next_record_stage = plan->flags & EBT_PLAN_TRANSFER_ONLY ? 0 : STAGE_CALL;
	s->row = EBT_ROW_NONE; /* nothing to capture but the process */
	transfer_begin(s, plan, sk, arg);
	if (!s->transfer.unseen) {
		continue_in(ctx, &claim, STAGE_COPY);
		return;
	}
	transfer_end(s, 1);
	continue_in(ctx, &claim, s->transfer.next);
}

/* Tail calls after a copy: the stack, a capture, a walk, another capture, and the call's own. */
#define CALLS_AFTER_COPY 13

/* The stage: copies the bytes. */
INLINE void run_copy(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	s->reserved_calls = CALLS_AFTER_COPY;
	int whole = transfer_some(s);
	if (!whole && may_repeat(s))
		tail_call(ctx, s, STAGE_COPY);
	transfer_end(s, whole);
	continue_in(ctx, &claim, s->transfer.next);
}

/* The stage: after the transfer's record, the one that the rules want of the same call. */
INLINE void run_call(void *ctx)
{
	struct claim claim;
	resume_slot(&claim);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	struct ebt_header *h = &s->header;
	__u32 row = h->row;
	const struct ebt_plan *plan = bpf_map_lookup_elem(&plans, &row);
	if (!plan)
		return;
	claim.slot->seen++;
	h->kind = EBT_SYSCALL;
	h->flags &= EBT_INTERRUPTED;
	h->missing &= EBT_MISSING_ARGS | EBT_MISSING_ABI;
	record_begin(s);
	s->row = row;
	filter_and_capture(ctx, &claim, bpf_get_current_task(), plan);
}

#endif
