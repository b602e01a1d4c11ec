/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections to endpoints: which sockets are such, and the record of those that no system
 * call opens: io_uring's. That hook is where a socket's state changes; what a system call
 * does there its end will tell.
 */
#ifndef EBT_LIB_TRANSFER_CONNECTION_H
#define EBT_LIB_TRANSFER_CONNECTION_H

#include "kern/lib/capture/socket.h"
#include "kern/lib/emit.h"

/* Are there connections to endpoints, for all that is known? */
INLINE int streams_open(void)
{
	__u32 zero = 0;
	const struct ebt_stream_gate *gate = bpf_map_lookup_elem(&stream_gate, &zero);
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	return gate && set && gate->connects != set->streams_closed_at;
}

/* The struct socket behind a descriptor, for a connection of bytes; 0 for anything else. */
INLINE __u64 stream_socket(struct scratch *s, __s32 fd)
{
	__u16 mode = 0, type = 0;
	__u64 file = file_of(s, fd);
	if (!file)
		return 0;
	READ(&mode, POINTER(file, file, f_inode), inode, i_mode);
	if ((mode & S_IFMT) != S_IFSOCK)
		return 0;
	__u64 socket = POINTER(file, file, private_data);
	READ(&type, socket, socket, type);
	return type == SOCK_STREAM ? socket : 0;
}

/* Is the far end one that is watched? */
INLINE int is_endpoint(const struct ebt_socket *ends)
{
	struct ebt_endpoint key = {};
	__u32 *word = (void *)key.address;
	const __u32 *remote = (const void *)ends->remote;
	if (ends->family == AF_INET) {
		word[2] = 0xffff0000; /* ::ffff:0:0/96 in memory */
		word[3] = remote[0];
	} else if (ends->family == AF_INET6) {
		word[0] = remote[0];
		word[1] = remote[1];
		word[2] = remote[2];
		word[3] = remote[3];
	} else {
		return 0;
	}
	key.port = ends->remote_port;
	if (bpf_map_lookup_elem(&endpoints, &key))
		return 1;
	key.port = 0;
	return bpf_map_lookup_elem(&endpoints, &key) != 0;
}

INLINE __u32 netns_of(__u64 sk)
{
	__u32 inum = 0;
	if (HAS(sock, skc_net) && HAS(net, inum))
		READ(&inum, POINTER(sk, sock, skc_net), net, inum);
	return inum;
}

/* The field EBT_FIELD_SOCKET, if the socket behind args[arg] is connected to an endpoint. */
INLINE __u64 stream_ends(struct scratch *s, __u8 arg)
{
	__u64 socket = stream_socket(s, s->header.args[arg]);
	if (!socket)
		return 0;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, arg);
	struct ebt_socket *ends = (void *)(field + 1);
	read_socket(ends, socket);
	if (!is_endpoint(ends))
		return 0;
	field_end(s, field, EBT_OK, sizeof(*ends), sizeof(*ends));
	return POINTER(socket, socket, sk);
}

/* Who sends or connects is asked for the stack, if anybody is. */
INLINE __u32 stage_after_stream(__u32 direction)
{
	if (HAS_FEATURE(user_stack))
		return direction == EBT_RECEIVED ? STAGE_CAPTURE : STAGE_STACK;
	return STAGE_CAPTURE;
}

/*
 * Is the caller inside a system call whose end is looked at? io_uring connects in
 * io_uring_enter(2), or in a thread that has never been in user space: one of the kernel's, or
 * since 5.12 of the process's own, which has the registers of whoever started it, but for ip and
 * sp.
 */
INLINE int in_connecting_call(__u64 task)
{
	struct entry entry = {};
	read_entry(&entry, task);
	return entry.ip && number_of(entry.raw_nr) != NR_IO_URING_ENTER;
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
