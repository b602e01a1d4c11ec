/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's copies of addresses that sockets connect, are bound to, or send to. */
#ifndef EBT_LIB_WITNESS_ADDRESSES_H
#define EBT_LIB_WITNESS_ADDRESSES_H

#include "kern/lib/capture/socket.h"
#include "kern/lib/witness/scene.h"

INLINE void put_address(struct ebt_field *field, __u8 arg, __u64 address, __u64 length)
{
	field->kind = EBT_FIELD_WITNESS_ADDRESS;
	field->arg = arg;
	field->flags = 0;
	field->length = SOCKADDR_MAX;
	field->original = length < SOCKADDR_MAX ? length : SOCKADDR_MAX;
	field->count = 0;
	field->status = EBT_OK;
	if (bpf_probe_read_kernel(field + 1, SOCKADDR_MAX, (void *)address))
		field->status = EBT_UNAVAILABLE;
}

/* The address of an operation of io_uring, and both ends of its socket. */
INLINE void record_operation_address(void *ctx, __u64 task, __u64 socket, __u64 address,
				     __u64 length, const struct operation *op)
{
	struct claim claim;
	struct ebt_socket ends;
	read_socket(&ends, socket);
	/* A stream that has a far end already is being connected: the operation is tried again. */
	if (op->nr == NR_CONNECT && ends.type == SOCK_STREAM && ends.remote_port)
		return;
	/* The kernel has sockets to itself, such as a network file system's. */
	if (!HAS(socket, file) || !POINTER(socket, socket, file) ||
	    !begin_operation(&claim, task, op))
		return;
	struct scratch *s = claim.scratch;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, 0);
	*(struct ebt_socket *)(field + 1) = ends;
	field_end(s, field, EBT_OK, sizeof(struct ebt_socket), sizeof(struct ebt_socket));
	if (address && length) {
		field = record_at(s, s->position);
		put_address(field, 0, address, length);
		s->position += WITNESS_ADDRESS;
		s->header.fields++;
	}
	continue_operation(ctx, &claim);
}

/* The kernel's copy of an address that a socket connects or is bound to, or sends to. */
INLINE void witness_address(const struct ebt_registers *ctx, __u32 kind, __u64 socket,
			    __u64 address, __u64 length, const struct operation *op)
{
	struct scene scene;
	enum place place = look_around(&scene, ctx, kind);
	if (place == IN_OPERATION)
		record_operation_address((void *)ctx, scene.task, socket, address, length, op);
	if (place != IN_CALL)
		return;
	struct witness *w = witness_of(&scene);
	if (!w || scene.stack < w->hook_stack)
		return;
	w->hook_stack = scene.stack;
	w->socket = socket;
	if (!address || !length)
		return;
	__u32 kept = w->kept;
	w->addresses++;
	if (kept >= WITNESS_ADDRESSES)
		return;
	OPAQUE(kept);
	kept &= WITNESS_ADDRESSES - 1;
	put_address((void *)(w->bytes + kept * WITNESS_ADDRESS), kept, address, length);
	w->kept = kept + 1;
}

#endif
