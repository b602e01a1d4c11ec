/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets: the addresses that a call was given, and what the kernel knows. */
#ifndef EBT_LIB_CAPTURE_SOCKET_H
#define EBT_LIB_CAPTURE_SOCKET_H

#include "kern/lib/capture/file.h"

#define MMSGHDR_WORDS 8  /* sizeof(struct mmsghdr) in pointers */
#define CONTROL_MAX 2048 /* bytes of control messages: more than all descriptors of a message */

/* Captures s->given. */
INLINE void capture_given(struct scratch *s, __u8 arg)
{
	const struct given *given = &s->given;
	if (!has_room(s, given->most))
		return;
	struct ebt_field *field = field_begin(s, given->kind, arg);
	field->flags = EBT_USER_MEMORY;
	__u64 bytes = given->length < given->most ? given->length : given->most;
	if (!bytes) {
		/* Nothing is given: not an error, there is nothing to read. */
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
		return;
	}
	if (bpf_probe_read_user(field + 1, bounded(bytes, CONTROL_MAX), user(given->pointer)))
		field_end(s, field, EBT_FAULT, 0, 0);
	else
		field_end(s, field, given->length > bytes ? EBT_TRUNCATED : EBT_OK, bytes,
			  given->length);
}

/* An address that is an argument. */
INLINE void find_sockaddr(struct scratch *s, const struct ebt_step *step, struct given *out)
{
	__u64 link = s->values[step->link & 7];
	__u32 length = link;
	if (step->capture == EBT_CAPTURE_SOCKADDR_OUT) {
		length = 0;
		bpf_probe_read_user(&length, sizeof(length), user(link));
	}
	out->pointer = s->values[step->arg & 7];
	out->length = length;
}

/* Of several messages, or of one that has control messages: what comes next? */
INLINE int advance_message(struct scratch *s, const struct ebt_step *step, int control)
{
#ifdef TIER_KPROBE /* operations of io_uring have one message, whose control messages are unknown  \
		    */
	return 0;
#else
	__u32 part = s->message;
	__u32 next = (part | 1) + 1; /* the next message's address */
	if (!(part & 1) && control)
		next = part + 1;
	else if (step->capture != EBT_CAPTURE_MESSAGES || next / 2 >= EBT_ADDRESSES ||
		 (__s64)(next / 2) >= s->header.ret)
		return 0;
	s->message = next;
	if (may_repeat(s))
		return 1;
	s->header.flags |= EBT_LOST_FIELDS;
	return 0;
#endif
}

/*
 * The address of a message, and after it the control messages: struct msghdr, in both widths.
 * One is captured at a time: 1 when another one comes.
 */
INLINE int find_in_message(struct scratch *s, const struct ebt_step *step, struct given *out)
{
	struct {
		__u64 name;
		__u32 length;
		__u32 padding;
		__u64 vector[2];
		__u64 control;
		__u64 control_length;
	} wide = {};
	struct {
		__u32 name;
		__u32 length;
		__u32 vector[2];
		__u32 control;
		__u32 control_length;
	} narrow = {};
	__u64 width = pointer_size(s->header.abi), message = s->message / 2;
	void *pointer = user(s->values[step->arg & 7] + message * width * MMSGHDR_WORDS);
	__s64 error;
	if (width == 8) {
		error = bpf_probe_read_user(&wide, sizeof(wide), pointer);
	} else {
		error = bpf_probe_read_user(&narrow, sizeof(narrow), pointer);
		wide.name = narrow.name;
		wide.length = narrow.length;
		wide.control = narrow.control;
		wide.control_length = narrow.control_length;
	}
	out->pointer = wide.length ? wide.name : 0;
	out->length = wide.length;
	if (s->message & 1) {
		out->pointer = wide.control_length ? wide.control : 0;
		out->length = wide.control_length;
		out->most = CONTROL_MAX;
		out->kind = EBT_FIELD_CONTROL;
	}
	if (error)
		field_missing(s, out->kind, step->arg, EBT_FAULT);
	return advance_message(s, step, error || (wide.control && wide.control_length));
}

/* An address, or what a message has. 1 when the same step has more. */
INLINE int capture_address(struct scratch *s, const struct ebt_step *step)
{
	struct given *given = &s->given;
	int more = 0;
	given->most = SOCKADDR_MAX;
	given->kind = EBT_FIELD_SOCKADDR;
	if (step->capture == EBT_CAPTURE_SOCKADDR || step->capture == EBT_CAPTURE_SOCKADDR_OUT)
		find_sockaddr(s, step, given);
	else
		more = find_in_message(s, step, given);
	OPAQUE(s); /* else the compiler keeps what it has just written there */
	if (s->given.pointer)
		capture_given(s, step->arg);
	return more;
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

/* What a Unix socket is bound to, if it is to anything. */
INLINE void capture_unix_name(struct scratch *s, __u8 arg, __u64 socket)
{
	__u32 length = 0;
	if (!HAS(unix_sock, addr) || !HAS(unix_address, len) || !HAS(unix_address, name))
		return;
	__u64 address = POINTER(POINTER(socket, socket, sk), unix_sock, addr);
	READ(&length, address, unix_address, len);
	if (!address || !length || !has_room(s, SOCKADDR_MAX))
		return;
	struct ebt_field *field = field_begin(s, EBT_FIELD_UNIX_NAME, arg);
	if (length > SOCKADDR_MAX) /* no address has so many */
		length = SOCKADDR_MAX;
	if (bpf_probe_read_kernel(field + 1, bounded(length, SOCKADDR_MAX),
				  (void *)(address + OFFSET(unix_address, name))))
		field_end(s, field, EBT_UNAVAILABLE, 0, 0);
	else
		field_end(s, field, EBT_OK, length, length);
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
	struct ebt_socket *ends = (void *)(field + 1);
	read_socket(ends, socket);
	__u16 family = ends->family;
	field_end(s, field, EBT_OK, sizeof(struct ebt_socket), sizeof(struct ebt_socket));
	if (family == AF_UNIX)
		capture_unix_name(s, step->arg, socket);
}

#endif
