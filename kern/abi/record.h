/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the eBPF programs write and user space reads: one header, then only the
 * fields that are there. All integers are in host byte order unless said
 * otherwise; every field starts on an 8-byte boundary of the record.
 */
#ifndef EBT_ABI_RECORD_H
#define EBT_ABI_RECORD_H

#include "machine.h"

#define EBT_RECORD_VERSION 3
#define EBT_COMM_LEN 16 /* TASK_COMM_LEN */
#define EBT_ARGS 6
#define EBT_RECORD_MAX 61440 /* a perf sample's size is 16 bits wide */
#define EBT_PATH_MAX 4096    /* PATH_MAX: the longest path kept whole */
#define EBT_ARGV_MAX 32768   /* bytes of a command line kept whole */
#define EBT_BYTES_MAX 128    /* of what else an argument points to */

enum ebt_record_kind {
	EBT_SYSCALL = 1,  /* a system call: nr, args, ret */
	EBT_FORK = 2,     /* a new process; the header describes its parent */
	EBT_EXEC = 3,     /* a new process image */
	EBT_EXIT = 4,     /* the last thread of a process; ret = wait status */
	EBT_TRANSFER = 5, /* what a system call moved over a connection to an endpoint */
};

/* Four values for each machine, of which the last is no ABI: EBT_ABI_SLOT() is which of its
 * machine's one is, from 0. */
enum ebt_abi {
	EBT_X86_64 = 0,
	EBT_I386 = 1,
	EBT_X32 = 2,
	EBT_AARCH64 = 4,
	EBT_ARM = 5, /* EABI: 32-bit programs of arm64 */
	EBT_ABIS = 6,
};

enum ebt_record_flag {
	EBT_NO_RETURN = 1 << 0,   /* the call never returns: ret means nothing */
	EBT_IMAGE = 1 << 1,       /* carries the process image (EXE, TTY, IMAGE_ARGV) */
	EBT_LOST_FIELDS = 1 << 2, /* the record ran out of room or of steps */
	EBT_CHECKED = 1 << 3, /* execveat with AT_EXECVE_CHECK: it succeeded and executed nothing */
	EBT_INTERRUPTED = 1 << 4,
	EBT_VIA_IO_URING = 1 << 5, /* no system call, but the io_uring operation like it */
};

/*
 * A call that a signal interrupts ends with one of the kernel's own codes, which its
 * caller never sees: it gets EINTR, or the call is made again. ret is -EINTR then, and
 * the record says EBT_INTERRUPTED.
 */

/* Bits of ebt_header.missing: parts of the header that could not be read. */
enum ebt_missing {
	EBT_MISSING_ARGS = 1 << 0,
	EBT_MISSING_PPID = 1 << 1,
	EBT_MISSING_START_TIME = 1 << 2,
	EBT_MISSING_AUDIT = 1 << 3, /* auid and ses */
	EBT_MISSING_CREDENTIALS = 1 << 4,
	EBT_MISSING_ABI = 1 << 5,
	EBT_MISSING_EXEC_ID = 1 << 6,
};

/*
 * Bits of ebt_header.shared: what other threads or processes have a part in, and so what they could
 * change while the call was under way.
 */
enum ebt_shared {
	EBT_SHARED_FILES = 1 << 0,  /* the table of descriptors */
	EBT_SHARED_FS = 1 << 1,     /* root and working directory */
	EBT_SHARED_MEMORY = 1 << 2, /* the address space */
	EBT_MEMORY_ARGS = 1 << 3,   /* the arguments themselves were read from memory: socketcall */
};

/*
 * Bits of ebt_header.execution: who could answer the call in the kernel's place, and whether
 * that was so. The kernel runs its hook at the start of a call after these had their say.
 */
enum ebt_execution {
	EBT_SECCOMP = 1 << 0,  /* the thread has a seccomp filter */
	EBT_TRACED = 1 << 1,   /* and a tracer */
	EBT_SKIPPED = 1 << 2,  /* the call never ran: its result is what one of them said */
	EBT_UNPROVEN = 1 << 3, /* it may have been so: its start was not seen */
};

/*
 * What the header says of the calling process in numbers: NUMBER(type, name). The decoder hands
 * each on to events under the same name.
 */
#define EBT_PROCESS_NUMBERS(NUMBER)                                                                \
	NUMBER(__u32, tid)                                                                         \
	NUMBER(__u32, ppid)                                                                        \
	NUMBER(__u32, exec_id) /* counts the images this task has had */                           \
	NUMBER(__u32, auid)    /* login uid; 4294967295 when unset */                              \
	NUMBER(__u32, ses)                                                                         \
	/* in the order of struct cred */                                                          \
	NUMBER(__u32, uid)                                                                         \
	NUMBER(__u32, gid)                                                                         \
	NUMBER(__u32, suid)                                                                        \
	NUMBER(__u32, sgid)                                                                        \
	NUMBER(__u32, euid)                                                                        \
	NUMBER(__u32, egid)                                                                        \
	NUMBER(__u32, fsuid)                                                                       \
	NUMBER(__u32, fsgid)                                                                       \
	/* further ones here: uid stands at a multiple of 8, to be read in words */

struct ebt_header {
	__u32 size; /* bytes of the whole record, header included, multiple of 8 */
	__u8 version;
	__u8 kind;  /* ebt_record_kind */
	__u8 abi;   /* ebt_abi */
	__u8 flags; /* ebt_record_flag */

	__u64 sequence; /* counts the records of this cpu and slot, from 1, no gaps but losses */
	__u16 cpu;
	__u16 slot;
	__u16 missing;  /* ebt_missing */
	__u8 shared;    /* ebt_shared */
	__u8 execution; /* ebt_execution */

	__u64 time;       /* ns since boot: CLOCK_BOOTTIME, or CLOCK_MONOTONIC where the
				   kernel has no helper for it (the reader then converts) */
	__u64 start_time; /* of the process: ns since boot */
	__u32 tgid;       /* "pid" to user space, in the initial pid namespace */
#define EBT_MEMBER(type, name) type name;
	EBT_PROCESS_NUMBERS(EBT_MEMBER)
#undef EBT_MEMBER
	char comm[EBT_COMM_LEN];

	__s32 nr;  /* as the ABI counts; the x32 bit removed */
	__u16 row; /* index into the system call table; see ebt_plan */
	__u16 fields;
	__s64 ret;
	__u64 args[EBT_ARGS];
};

enum ebt_status {
	EBT_OK = 1,
	EBT_TRUNCATED = 2,   /* cut; `original` is the full length */
	EBT_FAULT = 3,       /* the memory was not there to read */
	EBT_UNAVAILABLE = 4, /* does not exist, or this kernel does not give it */
};

enum ebt_field_flag {
	EBT_DETACHED = 1 << 0,    /* a path that hangs on no mount: a pipe, a socket, a memfd */
	EBT_AT_LEAST = 1 << 1,    /* `original` is a lower bound */
	EBT_USER_MEMORY = 1 << 2, /* read from the process's own memory: it may have changed */
	EBT_FOREIGN = 1 << 3, /* a path that starts at the root of another mount namespace, or of a
				 mount that is attached nowhere */
	EBT_BELOW_CWD = 1 << 4,  /* the components go on with those of the field EBT_FIELD_CWD */
	EBT_DELETED = 1 << 5,    /* a path that led there once, and does no more */
	EBT_WITH_INODE = 1 << 6, /* EBT_FIELD_DIR: a struct ebt_inode stands before the components,
				    since the call is about the file itself: its path is empty */
	EBT_CREATED = 1 << 7, /* EBT_FIELD_FILE of EBT_ARG_RET: the call that opened it made it */
};

enum ebt_field_kind {
	EBT_FIELD_EXE = 1,        /* struct ebt_inode, then components */
	EBT_FIELD_IMAGE_ARGV = 2, /* NUL-terminated strings, from mm->arg_start */
	EBT_FIELD_TTY = 3,        /* name without /dev/ and without NUL */
	EBT_FIELD_CWD = 4,        /* components */
	EBT_FIELD_ROOT = 5,       /* components; only when chrooted */
	EBT_FIELD_FILE = 6,   /* struct ebt_inode, then components: the file behind fd args[arg] */
	EBT_FIELD_STRING = 7, /* the string at args[arg], without NUL; or a structure, or bytes */
	EBT_FIELD_DIR = 8,    /* components: what the relative path at args[arg] starts from */
	EBT_FIELD_SOCKADDR = 9, /* raw struct sockaddr; one for each message of sendmmsg */
	EBT_FIELD_SOCKET = 10,  /* struct ebt_socket: both ends of the socket behind fd args[arg] */
	EBT_FIELD_ARGV = 11,    /* NUL-terminated strings, from the array at args[arg] */
	EBT_FIELD_CHILD = 12,   /* struct ebt_child */
	EBT_FIELD_TRANSFER = 13,   /* struct ebt_transfer, then the first of the bytes moved */
	EBT_FIELD_USER_STACK = 14, /* struct ebt_registers, then the memory from its sp on */
	EBT_FIELD_WITNESS =
	    15, /* struct ebt_inode, then components: the call's first path or its
		   second, by arg, as the kernel acted on it. Status EBT_UNAVAILABLE:
		   the call should have been witnessed and was not */
	EBT_FIELD_WITNESS_ADDRESS = 16, /* struct sockaddr_storage, `original` bytes of it: the
					   kernel's copy; arg counts from 0. `count` of the first:
					   how many the call had, of which not all need be here */
	EBT_FIELD_NAMESPACES = 17,      /* struct ebt_namespaces, with the image */
	EBT_FIELD_CONTROL = 18, /* control messages: struct cmsghdr of the caller's ABI, each with
				   what follows it; of sendmmsg one field for each message */
	EBT_FIELD_UNIX_NAME =
	    19, /* struct sockaddr_un, as the kernel has it: what the Unix socket of the
		   EBT_FIELD_SOCKET before it is bound to; not there if to nothing */
	EBT_FIELD_CAPABILITIES = 20, /* struct ebt_capabilities, with the image and
					of calls that change credentials */
	EBT_FIELD_ENVIRONMENT = 21, /* NUL-terminated strings, from mm->env_start, with the image */
	EBT_FIELD_EXEC_NAME = 22,   /* of an exec, with its image: what it was asked to execute,
				       without NUL. The kernel leaves it above the environment */
	EBT_FIELD_CGROUP = 23,      /* components, with the image; arg: ebt_cgroup */
	EBT_FIELD_EXE_VERSION = 24, /* struct ebt_file_version, with the image, where asked for */
	EBT_FIELD_KINDS = 25,
};

/* Whose EBT_FIELD_CGROUP it is. */
enum ebt_cgroup {
	EBT_CGROUP_UNIFIED = 0,    /* version 2 */
	EBT_CGROUP_CONTROLLER = 1, /* version 1, where the process is not at the root */
};

#define EBT_ARG_RET EBT_ARGS /* ebt_field.arg: the returned descriptor */
#define EBT_ARG_NONE 255

/* A field; `length` bytes follow, then zeroes up to a multiple of 8. */
struct ebt_field {
	__u8 kind;   /* ebt_field_kind */
	__u8 status; /* ebt_status */
	__u8 arg;    /* which argument, EBT_ARG_RET or EBT_ARG_NONE */
	__u8 flags;  /* ebt_field_flag */
	__u32 length;
	__u32 original; /* length before truncation; equal to `length` otherwise.
			   Both count the struct that may stand before a path */
	__u32 count;    /* components or strings, where known */
};

/*
 * A path as components: leaf first, each ended by NUL ("passwd\0etc\0" is
 * /etc/passwd, nothing at all is "/"). With EBT_DETACHED the outermost
 * component has no "/" before it. A namespace has its kind ("uts\0") as its only one.
 */

struct ebt_inode {
	__u64 ino;
	__u32 magic; /* of its file system: statfs(2) f_type */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 device; /* of its file system, as the kernel counts: the major number is above 20 bits
			 of the minor; 0: not known */
	__u32 reserved;
};

struct ebt_socket {
	__u16 family;      /* AF_*; addresses are filled for AF_INET and AF_INET6 */
	__u8 type;         /* SOCK_* */
	__u8 protocol;     /* IPPROTO_*, low 8 bits (MPTCP reads as TCP) */
	__u16 local_port;  /* host byte order */
	__u16 remote_port; /* host byte order */
	__u8 local[16];    /* network byte order; 4 bytes used for AF_INET */
	__u8 remote[16];
};

/* Sets of the calling thread, a bit for each capability. */
struct ebt_capabilities {
	__u64 permitted;
	__u64 effective;
};

/* Which content a file has: any change of it changes the time, which no call sets. */
struct ebt_file_version {
	__u64 size;
	__s64 changed_s; /* ctime */
	__u32 changed_ns;
	__u32 device; /* as in struct ebt_inode */
};

/* Inode numbers, as in /proc/PID/ns; 0: not known. */
struct ebt_namespaces {
	__u32 mnt;
	__u32 pid; /* the one that its children are in */
	__u32 user;
	__u32 reserved;
};

struct ebt_child {
	__u64 start_time; /* ns since boot */
	__u32 tgid;
	__u32 tid;
};

enum ebt_direction {
	EBT_CONNECTED = 0, /* or began to: nothing was moved */
	EBT_SENT = 1,
	EBT_RECEIVED = 2,        /* nothing: the peer has ended its stream */
	EBT_CONNECTED_ASYNC = 3, /* the same as EBT_CONNECTED, but by no system call: io_uring,
				    whose bytes are not seen */
};

#define EBT_TRANSFER_MAX 16384 /* bytes of a call that are captured; a power of two */

/* The ends of the connection come with it, as EBT_FIELD_SOCKET. */
struct ebt_transfer {
	__u64 socket;    /* stands for the kernel's socket, whichever descriptor leads to it */
	__u64 total;     /* bytes moved; with EBT_AT_LEAST more than that */
	__u32 netns;     /* inode number of its network namespace; 0: not known */
	__u32 direction; /* ebt_direction */
};

#define EBT_STACK_MAX 16384 /* bytes of the caller's stack */

/* Why an event did not reach user space; index into ebt_slot.lost. */
enum ebt_loss {
	EBT_LOST_BUFFER_FULL = 0,  /* ring or perf buffer without room */
	EBT_LOST_NO_BUFFER = 1,    /* this CPU has no perf buffer (yet, or any more) */
	EBT_LOST_SCRATCH_BUSY = 2, /* every scratch slot of the CPU in use */
	EBT_LOST_TAIL_CALL = 3,    /* a tail call failed */
	EBT_LOST_RATE_LIMIT = 4,   /* the process has emitted its share of this second */
	EBT_LOST_MAX_CPU = 5,      /* the reader is over its share of the CPU */
	EBT_LOSSES = 6,
};

#endif
