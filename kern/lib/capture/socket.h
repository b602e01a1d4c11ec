/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets: the addresses that a call was given, and what the kernel knows. */
#ifndef EBT_LIB_CAPTURE_SOCKET_H
#define EBT_LIB_CAPTURE_SOCKET_H

#include "kern/lib/capture/file.h"

#define MMSGHDR_WORDS 8 /* sizeof(struct mmsghdr) in pointers */

INLINE void capture_address(struct scratch *s, __u8 arg, __u64 pointer, __u64 length)
{
	if (!has_room(s, SOCKADDR_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKADDR, arg);
	field->flags = EBT_USER_MEMORY;
	__u64 bytes = length < SOCKADDR_MAX ? length : SOCKADDR_MAX;
	if (!pointer || !bytes) {
		/* No address is given: not an error, there is nothing to read. */
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	if (bpf_probe_read_user(field + 1, bounded(bytes, SOCKADDR_MAX), user(pointer)))
		field_end(s, field, EBT_FAULT, 0, 0);
	else
		field_end(s, field, length > bytes ? EBT_TRUNCATED : EBT_OK, bytes, length);
}

INLINE void capture_sockaddr(struct scratch *s, const struct ebt_step *step)
{
	__u64 pointer = s->values[step->arg & 7];
	__u64 link = s->values[step->link & 7];
	__u32 length = link;
	if (step->capture == EBT_CAPTURE_SOCKADDR_OUT) {
		length = 0;
		bpf_probe_read_user(&length, sizeof(length), user(link));
	}
	if (pointer)
		capture_address(s, step->arg, pointer, length);
}

/*
 * msg_name and msg_namelen stand first in struct msghdr, in both widths. Of several messages
 * one is captured at a time: 1 when another one comes.
 */
INLINE int capture_msghdr(struct scratch *s, const struct ebt_step *step)
{
	struct {
		__u64 name;
		__u32 length;
		__u32 padding;
	} wide = {};
	struct {
		__u32 name;
		__u32 length;
	} narrow = {};
	__u64 width = pointer_size(s->header.abi), message = s->message++;
	void *pointer = user(s->values[step->arg & 7] + message * width * MMSGHDR_WORDS);
	if (width == 8) {
		if (bpf_probe_read_user(&wide, sizeof(wide), pointer))
			field_missing(s, EBT_FIELD_SOCKADDR, step->arg, EBT_FAULT);
	} else {
		if (bpf_probe_read_user(&narrow, sizeof(narrow), pointer))
			field_missing(s, EBT_FIELD_SOCKADDR, step->arg, EBT_FAULT);
		wide.name = narrow.name;
		wide.length = narrow.length;
	}
	if (wide.name && wide.length)
		capture_address(s, step->arg, wide.name, wide.length);
#ifdef TIER_KPROBE /* operations of io_uring have one message */
	return 0;
#else
	return step->capture == EBT_CAPTURE_MESSAGES && (__s64)(message + 1) < s->header.ret &&
	       message + 1 < EBT_ADDRESSES && may_repeat(s);
#endif
}

/* The kernel's side of a socket, of this type. */
INLINE void read_sock(struct ebt_socket *out, __u64 sk, __u16 type)
{
	__u16 family = 0, local_port = 0, remote_port = 0;
	__u8 protocol = 0;
	READ(&family, sk, sock, skc_family);
	READ(&protocol, sk, sock, sk_protocol);
	__builtin_memset(out, 0, sizeof(*out));
	out->family = family;
	out->type = type;
	out->protocol = protocol;
	if (family != AF_INET && family != AF_INET6)
		return;
	READ(&local_port, sk, sock, skc_num);
	READ(&remote_port, sk, sock, skc_dport);
	out->local_port = local_port;
	out->remote_port = (remote_port >> 8 | remote_port << 8) & 0xffff;
	if (family == AF_INET) {
		READ((__u32 *)out->local, sk, sock, skc_rcv_saddr);
		READ((__u32 *)out->remote, sk, sock, skc_daddr);
	} else if (HAS(sock, skc_v6_daddr)) {
		READ(&out->local, sk, sock, skc_v6_rcv_saddr);
		READ(&out->remote, sk, sock, skc_v6_daddr);
	}
}

INLINE void read_socket(struct ebt_socket *out, __u64 socket)
{
	__u16 type = 0;
	READ(&type, socket, socket, type);
	read_sock(out, POINTER(socket, socket, sk), type);
}

/* Both ends of a socket, as the kernel knows them. */
INLINE void capture_socket(struct scratch *s, const struct ebt_step *step, __u64 file)
{
	__u16 mode = 0;
	READ(&mode, POINTER(file, file, f_inode), inode, i_mode);
	if (!file || (mode & S_IFMT) != S_IFSOCK) {
		field_missing(s, EBT_FIELD_SOCKET, step->arg, EBT_UNAVAILABLE);
		return;
	}
	__u64 socket = POINTER(file, file, private_data);
	/* The descriptor has become another one's since the call used it. */
	if (s->witness.socket && s->witness.socket != socket) {
		field_missing(s, EBT_FIELD_SOCKET, step->arg, EBT_UNAVAILABLE);
		return;
	}
	if (!has_room(s, sizeof(struct ebt_socket)))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_SOCKET, step->arg);
	read_socket((void *)(field + 1), socket);
	field_end(s, field, EBT_OK, sizeof(struct ebt_socket), sizeof(struct ebt_socket));
}

#endif
