/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections to endpoints that no system call opens: io_uring's. The hook is where a
 * socket's state changes; what a system call does there its end will tell.
 */
#ifndef EBT_LIB_CONNECTION_H
#define EBT_LIB_CONNECTION_H

#include "kern/lib/stream.h"

#define TCP_SYN_SENT 2
#define NR_IO_URING_ENTER 426 /* in every ABI */

/*
 * Is the caller inside a system call whose end is looked at? io_uring connects in
 * io_uring_enter(2), or in a thread that has never been in user space: one of the kernel's, or
 * since 5.12 of the process's own, which has the registers of whoever started it, but for ip and
 * sp.
 */
INLINE int in_connecting_call(__u64 task)
{
	struct {
		__u64 orig_ax, ip;
	} call = {};
	READ_AT(&call, task_registers(task) + __builtin_offsetof(struct ebt_registers, orig_ax));
	return call.ip && (call.orig_ax & ~(__u64)EBT_X32_BIT) != NR_IO_URING_ENTER;
}

/* The fields that tell of a connection. */
INLINE void put_connection(struct scratch *s, __u64 sk, const struct ebt_socket *ends)
{
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, 0);
	*(struct ebt_socket *)(field + 1) = *ends;
	field_end(s, field, EBT_OK, sizeof(*ends), sizeof(*ends));
	field = field_begin(s, EBT_FIELD_STREAM, 0);
	struct ebt_stream *stream = (void *)(field + 1);
	stream->socket = sk;
	stream->total = 0;
	stream->netns = netns_of(sk);
	stream->direction = EBT_CONNECTED_ASIDE;
	field_end(s, field, EBT_OK, sizeof(*stream), sizeof(*stream));
}

INLINE void record_connection(void *ctx, __u64 task, __u64 sk, const struct ebt_socket *ends)
{
	struct claim claim;
	__u32 zero = 0;
	struct ebt_stream_gate *gate = bpf_map_lookup_elem(&stream_gate, &zero);
	if (gate)
		__sync_fetch_and_add(&gate->connects, 1);
	claim_slot(&claim, task);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	claim.slot->seen++;
	header_begin(&claim, bpf_get_current_pid_tgid(), EBT_STREAM);
	s->header.row = s->row = EBT_ROW_NONE; /* nothing to capture but the process */
	put_connection(s, sk, ends);
	go_on(ctx, &claim, stage_after_stream(EBT_CONNECTED_ASIDE));
}

#endif
