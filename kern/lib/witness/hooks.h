/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kprobes where the kernel acts on a path or an address. What a selected call acts on is
 * kept for its record (see witness.h); an operation of io_uring becomes a record of its own
 * (see io_uring.h). Everything else goes no further than its number.
 */
#ifndef EBT_LIB_WITNESS_HOOKS_H
#define EBT_LIB_WITNESS_HOOKS_H

#include "kern/lib/witness/addresses.h"
#include "kern/lib/witness/paths.h"

#define KPROBE(function)                                                                           \
	SEC("kprobe/" #function)                                                                   \
	int on_##function(struct ebt_registers *ctx)

KPROBE(mnt_want_write)
{
	witness_mount(ctx, FUNCTION_ARG1(ctx));
	return 0;
}

#define FILE_MOUNT_HOOK(function)                                                                  \
	KPROBE(function)                                                                           \
	{                                                                                          \
		witness_mount(ctx, POINTER(FUNCTION_ARG1(ctx) + OFFSET(file, f_path), path, mnt)); \
		return 0;                                                                          \
	}

FILE_MOUNT_HOOK(mnt_want_write_file)
FILE_MOUNT_HOOK(mnt_want_write_file_path)
/* ftruncate(2) asks for no mount, but for leave: by a path before 6.2, by its file since. */
FILE_MOUNT_HOOK(security_file_truncate)

KPROBE(security_path_truncate)
{
	witness_mount(ctx, POINTER(FUNCTION_ARG1(ctx), path, mnt));
	return 0;
}

#define PATH_HOOK(function, kind, dentry, second, ...)                                             \
	KPROBE(function)                                                                           \
	{                                                                                          \
		const struct operation op = {__VA_ARGS__};                                         \
		witness_paths(ctx, kind, dentry, second, &op);                                     \
		return 0;                                                                          \
	}

/*
 * Since some version the user namespace or the mount's id mapping comes first. Both are read:
 * the compiler would choose between two addresses in the context, which verifiers refuse.
 */
#define AFTER_IDMAP(feature)                                                                       \
	({                                                                                         \
		__u64 first = FUNCTION_ARG1(ctx), second = FUNCTION_ARG2(ctx);                     \
		OPAQUE(first);                                                                     \
		OPAQUE(second);                                                                    \
		HAS_FEATURE(feature) ? second : first;                                             \
	})

PATH_HOOK(security_inode_create, EBT_WITNESS_CREATE, FUNCTION_ARG2(ctx), 0, 0, {0})
PATH_HOOK(security_inode_unlink, EBT_WITNESS_UNLINK, FUNCTION_ARG2(ctx), 0, NR_UNLINKAT, {0})
PATH_HOOK(security_inode_rmdir, EBT_WITNESS_RMDIR, FUNCTION_ARG2(ctx), 0, NR_UNLINKAT,
	  {0, 0, AT_REMOVEDIR})
PATH_HOOK(security_inode_mkdir, EBT_WITNESS_MKDIR, FUNCTION_ARG2(ctx), 0, NR_MKDIRAT,
	  {0, 0, (__u16)FUNCTION_ARG3(ctx)})
PATH_HOOK(security_inode_mknod, EBT_WITNESS_MKNOD, FUNCTION_ARG2(ctx), 0, 0, {0})
PATH_HOOK(security_inode_symlink, EBT_WITNESS_SYMLINK, FUNCTION_ARG2(ctx), 0, NR_SYMLINKAT, {0})
PATH_HOOK(security_inode_link, EBT_WITNESS_LINK, FUNCTION_ARG1(ctx), FUNCTION_ARG3(ctx), NR_LINKAT,
	  {0})
PATH_HOOK(security_inode_rename, EBT_WITNESS_RENAME, FUNCTION_ARG2(ctx), FUNCTION_ARG4(ctx),
	  NR_RENAMEAT2, {0, 0, 0, 0, (__u32)FUNCTION_ARG5(ctx)})
PATH_HOOK(security_inode_setattr, EBT_WITNESS_ATTRIBUTES, AFTER_IDMAP(setattr_idmap), 0, 0, {0})
PATH_HOOK(security_inode_setxattr, EBT_WITNESS_XATTR, AFTER_IDMAP(setxattr_idmap), 0, 0, {0})
PATH_HOOK(security_inode_removexattr, EBT_WITNESS_XATTR, AFTER_IDMAP(removexattr_idmap), 0, 0, {0})
PATH_HOOK(security_inode_set_acl, EBT_WITNESS_XATTR, FUNCTION_ARG2(ctx), 0, 0, {0})
PATH_HOOK(security_inode_remove_acl, EBT_WITNESS_XATTR, FUNCTION_ARG2(ctx), 0, 0, {0})

KPROBE(security_bprm_check)
{
	if (HAS(linux_binprm, file) && HAS(linux_binprm, interp) && HAS(linux_binprm, filename))
		witness_exec(ctx, FUNCTION_ARG1(ctx));
	return 0;
}

#define ADDRESS_HOOK(function, kind, number)                                                       \
	KPROBE(function)                                                                           \
	{                                                                                          \
		__u64 length = (__u32)FUNCTION_ARG3(ctx);                                          \
		const struct operation op = {number, {0, 0, length}};                              \
		witness_address(ctx, kind, FUNCTION_ARG1(ctx), FUNCTION_ARG2(ctx), length, &op);   \
		return 0;                                                                          \
	}

ADDRESS_HOOK(security_socket_connect, EBT_WITNESS_CONNECT, NR_CONNECT)
ADDRESS_HOOK(security_socket_bind, EBT_WITNESS_BIND, NR_BIND)

/* The kernel's struct msghdr begins with the address and its length. */
KPROBE(security_socket_sendmsg)
{
	struct {
		__u64 name;
		__u32 length;
		__u32 padding;
	} message = {};
	struct operation op = {.nr = NR_SENDMSG};
	if (!operation_row(NR_SENDMSG))
		op.nr = NR_SENDTO;
	READ_AT(&message, FUNCTION_ARG2(ctx));
	witness_address(ctx, EBT_WITNESS_SEND, FUNCTION_ARG1(ctx), message.name, message.length,
			&op);
	return 0;
}

#define IORING_OP_OPENAT 18
#define IORING_OP_OPENAT2 28

/* What is seen of io_uring: from the first on, security_file_open is needed. */
enum {
	IO_URING_RINGS = 0, /* that were made */
	IO_URING_OPENS = 1, /* that were submitted */
	IO_URING_COUNTS = 2,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IO_URING_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} io_uring_counts SEC(".maps");

INLINE void count_io_uring(__u32 what)
{
	__u64 *count = bpf_map_lookup_elem(&io_uring_counts, &what);
	if (count)
		__sync_fetch_and_add(count, 1);
}

SEC("tp")
int on_io_uring_create(void *ctx)
{
	count_io_uring(IO_URING_RINGS);
	return 0;
}

/* For rings that are older than the engine. */
SEC("tp")
int on_io_uring_submit(void *ctx)
{
	__u8 opcode = 0;
	bpf_probe_read_kernel(&opcode, sizeof(opcode), ctx + FEATURE(tp_io_opcode));
	if (opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2)
		count_io_uring(IO_URING_OPENS);
	return 0;
}

/* Attached only once io_uring is used: every open comes here. */
KPROBE(security_file_open)
{
	record_operation_open(ctx, FUNCTION_ARG1(ctx));
	return 0;
}

#define WITNESS_STAGE(name, run)                                                                   \
	SEC("kprobe")                                                                              \
	int stage_##name(void *ctx)                                                                \
	{                                                                                          \
		run(ctx);                                                                          \
		return 0;                                                                          \
	}

WITNESS_STAGE(filter, run_filter)
WITNESS_STAGE(capture, run_capture_or_witness)
WITNESS_STAGE(walk, run_walk)
WITNESS_STAGE(witness, run_witness)

char LICENSE[] SEC("license") = "GPL";

#endif
