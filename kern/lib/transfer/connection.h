/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections to endpoints: which sockets are such, and the record of those that no system
 * call opens, but io_uring. Its hook is the change of a socket's state; connections that
 * system calls open are reported at the end of the call.
 */
#ifndef EBT_LIB_TRANSFER_CONNECTION_H
#define EBT_LIB_TRANSFER_CONNECTION_H

#include "kern/lib/capture/socket.h"
#include "kern/lib/emit.h"

/* May there be open connections to endpoints? */
INLINE int gate_is_open(void)
{
	__u32 zero = 0;
	const struct ebt_transfer_gate *gate = bpf_map_lookup_elem(&transfer_gate, &zero);
	const struct ebt_settings *set = bpf_map_lookup_elem(&settings, &zero);
	return gate && set && gate->connects != set->gate_closed_at;
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
INLINE __u64 capture_endpoint_socket(struct scratch *s, __u8 arg)
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

/* The stack is captured of those who send or connect, if it is wanted at all. */
INLINE __u32 stage_after_transfer(__u32 direction)
{
	if (HAS_FEATURE(user_stack))
		return direction == EBT_RECEIVED ? STAGE_CAPTURE : STAGE_STACK;
	return STAGE_CAPTURE;
}

/*
 * Is the caller inside a system call whose end will be looked at? io_uring connects in
 * io_uring_enter(2), or in a thread that has never been in user space: one of the kernel's, or
 * since 5.12 of the process's own, which has the registers of the thread that started it, except
 * ip and sp.
 */
INLINE int in_connecting_call(__u64 task)
{
	struct entry entry = {};
	read_entry(&entry, task);
	return entry.ip && number_of(entry.raw_nr) != NR_IO_URING_ENTER;
}

/* Appends the fields that describe a connection. */
INLINE void put_connection(struct scratch *s, __u64 sk, const struct ebt_socket *ends)
{
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, 0);
	*(struct ebt_socket *)(field + 1) = *ends;
	field_end(s, field, EBT_OK, sizeof(*ends), sizeof(*ends));
	field = field_begin(s, EBT_FIELD_TRANSFER, 0);
	struct ebt_transfer *transfer = (void *)(field + 1);
	transfer->socket = sk;
	transfer->total = 0;
	transfer->netns = netns_of(sk);
	transfer->direction = EBT_CONNECTED_ASYNC;
	field_end(s, field, EBT_OK, sizeof(*transfer), sizeof(*transfer));
}

INLINE void record_connection(void *ctx, __u64 task, __u64 sk, const struct ebt_socket *ends)
{
	struct claim claim;
	__u32 zero = 0;
	struct ebt_transfer_gate *gate = bpf_map_lookup_elem(&transfer_gate, &zero);
	if (gate)
		__sync_fetch_and_add(&gate->connects, 1);
	claim_slot(&claim, task);
	struct scratch *s = claim.scratch;
	if (!s)
		return;
	claim.slot->seen++;
	header_begin(&claim, bpf_get_current_pid_tgid(), EBT_TRANSFER);
	s->header.row = s->row = EBT_ROW_NONE; /* nothing to capture but the process */
	put_connection(s, sk, ends);
	continue_in(ctx, &claim, stage_after_transfer(EBT_CONNECTED_ASYNC));
}

#endif
