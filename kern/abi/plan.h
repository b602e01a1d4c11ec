/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What user space has the eBPF programs do: which calls they select, what they capture
 * of each, and which they filter out at once. It is written into maps, and interpreted.
 */
#ifndef EBT_ABI_PLAN_H
#define EBT_ABI_PLAN_H

#include "record.h"

#define EBT_NUMBERS 1024  /* system call numbers, x32 bit removed: a power of two */
#define EBT_IPC_CALLS 32  /* first arguments of ipc(2), without their upper half */
#define EBT_ROWS 1024     /* plans: rows of the table and those made at run time */
#define EBT_STEPS 8       /* captures a call */
#define EBT_PREDICATES 32 /* comparisons a plan that the kernel evaluates */
#define EBT_ABI_SLOTS 3   /* a machine has at most so many ABIs */
#define EBT_SLOTS 2       /* scratch buffers a CPU */
#define EBT_ADDRESSES 8   /* of one call that has several messages */
#define EBT_ABI_SLOT(abi) ((abi)&3)
#define EBT_X32_BIT 0x40000000
#define EBT_CALL_RDONLY_CAST                                                                       \
	0x7fff0001 /* a call that the loader turns into one of bpf_rdonly_cast */

/* Rows of the process events; those of system calls follow. Row 0: not selected. */
enum ebt_process_row {
	EBT_ROW_NONE = 0,
	EBT_ROW_FORK = 1,
	EBT_ROW_EXEC = 2,
	EBT_ROW_EXIT = 3,
	EBT_FIRST_SYSCALL_ROW = 4,
};

/*
 * Map `numbers`: by system call number, the plan for each ABI. From EBT_NUMBERS on come those
 * that i386 programs reach through ipc(2), by its first argument: row[EBT_I386] is the row, and
 * row[EBT_X86_64] the number that the event has.
 */
struct ebt_numbers {
	__u16 row[EBT_ABI_SLOTS]; /* [EBT_ABI_SLOT(enum ebt_abi)] */
	__u16 flags;              /* ebt_number_flag */
};

enum ebt_number_flag {
	/* While no connection to an endpoint is open, nothing is wanted of */
	EBT_GATED_ABI = 1 << 0, /* << EBT_ABI_SLOT(): the call of this number in that ABI */
	EBT_GATED = 1 << 3,     /* the number, whatever the ABI */
	/* Only kernels before 5.4 have the number there: to others it is no call (ENOSYS). */
	EBT_OLD_NUMBER = 1 << 4, /* << EBT_ABI_SLOT() */
};

enum ebt_capture {
	EBT_CAPTURE_NONE = 0,
	EBT_CAPTURE_PATH,         /* string at arg, relative to descriptor `link` or the cwd */
	EBT_CAPTURE_STRING,       /* string at arg */
	EBT_CAPTURE_FILE,         /* file behind descriptor arg */
	EBT_CAPTURE_SOCKADDR,     /* arg, length in argument `link` */
	EBT_CAPTURE_SOCKADDR_OUT, /* arg, length behind the pointer in argument `link` */
	EBT_CAPTURE_MSGHDR,       /* msg_name and msg_control of the struct msghdr at arg */
	EBT_CAPTURE_SOCKET,       /* both ends of the socket behind descriptor arg */
	EBT_CAPTURE_ARGV,         /* array of strings at arg */
	EBT_CAPTURE_MESSAGES,     /* the same of each struct mmsghdr at arg, as many as went */
	EBT_CAPTURE_BYTES,        /* at arg: as many as argument `link` says, or as EBT_FIXED() */
	EBT_CAPTURE_WRITTEN,      /* the same, if descriptor 0 is a file of the kernel's own */
	EBT_CAPTURES,
};

#define EBT_LINK_CWD 255 /* ebt_step.link: relative to the current directory */
#define EBT_LINK_NONE                                                                              \
	254 /* a text that names a path but starts from nowhere: a symlink's target                \
	     */

/* ebt_step.link of EBT_CAPTURE_BYTES: a structure of always so many bytes, less than 64. */
#define EBT_FIXED(bytes) (64 + (bytes))

enum ebt_when { EBT_ALWAYS = 0, EBT_ON_SUCCESS = 1, EBT_ON_FAILURE = 2 };

struct ebt_step {
	__u8 capture; /* ebt_capture */
	__u8 arg;     /* 0..5 or EBT_ARG_RET */
	__u8 link;
	__u8 when; /* ebt_when: of which of a plan's lists it is */
};

/* What a predicate compares: index into the values of a call. */
enum ebt_value {
	EBT_VALUE_ARG0 = 0, /* .. 5 */
	EBT_VALUE_RET = 6,
	EBT_VALUE_SUCCESS = 7, /* 0 or 1 */
	EBT_VALUE_UID = 8,
	EBT_VALUE_EUID = 9,
	EBT_VALUE_AUID = 10,
	EBT_VALUE_PID = 11,
	EBT_VALUE_PPID = 12,
	EBT_VALUES_USED, /* stays the last: there are so many */
	EBT_VALUES = 16, /* a power of two, since the index is masked */
};

enum ebt_operator {
	EBT_EQ = 0,
	EBT_NE = 1,
	EBT_LT = 2,
	EBT_GT = 3,
	EBT_ALL_BITS = 4, /* (value & operand) == operand */
	EBT_ANY_BITS = 5, /* (value & operand) != 0 */
};

enum ebt_predicate_flag {
	EBT_SIGNED = 1 << 0,
	EBT_CLAUSE_END = 1 << 1, /* the comparisons since the last end are ANDed */
	EBT_EXCLUDE = 1 << 2,    /* with CLAUSE_END: the clause drops instead of selecting */
};

/*
 * One comparison. A value that is 32 bits wide to user space is compared with
 * shift = 32: both sides moved to the upper half, which keeps the order, signed
 * and unsigned, and the bits. `operand` is stored already shifted.
 */
struct ebt_predicate {
	__u8 value;     /* ebt_value */
	__u8 operator_; /* ebt_operator */
	__u8 flags;
	__u8 shift;    /* 0, 32, or 62: of flags the access mode alone */
	__u16 screens; /* with CLAUSE_END: see ebt_plan.screens */
	__u16 reserved;
	__u64 operand;
};

enum ebt_plan_flag {
	EBT_INCLUDE_ALL = 1 << 0, /* selected unless a clause excludes it */
	EBT_PLAN_EXEC = 1 << 1,   /* on success the registers and the memory are the new image's */
	EBT_PLAN_CLONE = 1 << 2,  /* returns twice; the child's 0 is not a call of the child's */
	EBT_PLAN_NO_RETURN = 1 << 3,
	EBT_PLAN_SOCKETCALL = 1 << 4, /* i386: args[0] selects, args[1] points to the arguments */
	EBT_PLAN_ENTER = 1 << 5,      /* to be taken at sys_enter: rt_sigreturn */
	EBT_PLAN_DISPATCH_ONLY =
	    1 << 6, /* socketcall, execve: of interest for what it turns out to be */
	EBT_PLAN_IDENTITY = 1 << 7,      /* a predicate asks for credentials, login uid or parent */
	EBT_PLAN_TRANSFER = 1 << 8,      /* records of the kind EBT_TRANSFER are wanted, ... */
	EBT_PLAN_TRANSFER_ONLY = 1 << 9, /* ... and nothing else */
	EBT_PLAN_WITNESSED = 1 << 10,    /* if it succeeds, something has been witnessed of it */
	EBT_PLAN_IPC = 1 << 11,          /* i386: args[0] selects, and says what the others are */
	EBT_PLAN_VITAL = 1 << 12, /* execs, exits, forks, credentials: the last to find no room */
	EBT_PLAN_CREDENTIALS = 1 << 13, /* changes capabilities: the new ones go with the record */
};

/* How a call moves bytes over a socket. */
enum ebt_move {
	EBT_MOVE_NONE = 0,
	EBT_MOVE_CONNECT,  /* none: connects args[0] */
	EBT_MOVE_BUFFER,   /* args[0]: args[2] bytes at args[1] */
	EBT_MOVE_VECTOR,   /* args[0]: args[2] times struct iovec at args[1] */
	EBT_MOVE_MESSAGE,  /* args[0]: struct msghdr at args[1] */
	EBT_MOVE_MESSAGES, /* args[0]: struct mmsghdr at args[1], as many as it returns */
	EBT_MOVE_FILE,     /* args[0]: through no memory of the caller's */
	EBT_MOVE_PIPE,     /* the same, from args[0] or to args[2] */
};

#define EBT_MOVE_NO_FLAGS 0 /* ebt_plan.move_flags: no argument has MSG_* */

/*
 * What a kprobe witnesses while the kernel acts on it: the path or address of a call, ...
 * Bits of ebt_plan.witness.
 */
enum ebt_witness {
	EBT_WITNESS_CREATE = 1 << 0, /* of an open that creates, or a mknod */
	EBT_WITNESS_UNLINK = 1 << 1,
	EBT_WITNESS_RMDIR = 1 << 2,
	EBT_WITNESS_MKDIR = 1 << 3,
	EBT_WITNESS_MKNOD = 1 << 4,
	EBT_WITNESS_SYMLINK = 1 << 5,
	EBT_WITNESS_LINK = 1 << 6,       /* what there was, and what there is */
	EBT_WITNESS_RENAME = 1 << 7,     /* the same */
	EBT_WITNESS_ATTRIBUTES = 1 << 8, /* mode, owner, size, times */
	EBT_WITNESS_XATTR = 1 << 9,
	EBT_WITNESS_EXEC = 1 << 10, /* the file that was to be executed, and its interpreter */
	EBT_WITNESS_CONNECT = 1 << 11,
	EBT_WITNESS_BIND = 1 << 12,
	EBT_WITNESS_SEND = 1 << 13,
	EBT_WITNESS_ADDRESSES = EBT_WITNESS_CONNECT | EBT_WITNESS_BIND | EBT_WITNESS_SEND,
	EBT_WITNESS_PATHS = EBT_WITNESS_EXEC - 1, /* those that a mount is written to for */
};

/* Map `plans`: by row. */
struct ebt_plan {
	__u16 flags; /* ebt_plan_flag */
	__u8 predicates;
	__u8 steps[2];       /* when the call fails, and when it succeeds */
	__u8 move;           /* ebt_move */
	__u8 move_direction; /* ebt_direction */
	__u8 move_flags;     /* index of the argument that has MSG_* */
	__u16 witness;       /* ebt_witness: what of the call is witnessed */
	__u16 screens; /* with INCLUDE_ALL: see ebt_screen; 0: records are not looked through */
	__u16 reserved[2];
	struct ebt_step step[2][EBT_STEPS];
	struct ebt_predicate predicate[EBT_PREDICATES];
};

/*
 * Map `screens`, one element: which groups of three bytes the paths of wanted calls have. A call
 * is dropped once it is captured if what let it pass the comparisons has bits in `screens`, and no
 * group that begins at an even place of its record has one of them in both of its cells. Each
 * needle therefore has two groups there, the second one byte after the first; a group that
 * begins or ends a component has two forms, since NUL and "/" may stand there.
 */
#define EBT_SCREEN_BITS 13
#define EBT_SCREEN_CELLS (1 << EBT_SCREEN_BITS)
#define EBT_SCREEN_GROUP 3     /* bytes, the first the lowest of a number */
#define EBT_SCREEN_KEEP 0x8000 /* in `screens`: the call is wanted, whatever its paths */
#define EBT_SCREEN_FACTOR 0x9e3779b97f4a7c15ULL
#define EBT_SCREEN_FIRST(group) ((group)*EBT_SCREEN_FACTOR >> (64 - EBT_SCREEN_BITS))
#define EBT_SCREEN_SECOND(group)                                                                   \
	((group)*EBT_SCREEN_FACTOR << EBT_SCREEN_BITS >> (64 - EBT_SCREEN_BITS))
struct ebt_screen {
	__u16 cell[EBT_SCREEN_CELLS];
};

/* Map `settings`, one element. */
struct ebt_settings {
	__u32 self_tgid;      /* whose own calls are not reported; 0 before it is known */
	__u32 wakeup_bytes;   /* ring buffer: wake the reader when a slot has written so much */
	__u64 gate_closed_at; /* see ebt_transfer_gate */
	/* Ring buffer: once it holds more than the first, it takes vital records alone. A slot
	 * queries how much it holds each time it has written the second. */
	__u32 ordinary_bytes;
	__u32 query_bytes;
	__u32 events_per_process; /* a second; 0: no limit. With the feature rate_limit */
	__u32 shed; /* 1: records that are not vital are dropped. With the feature shedding */
	/* Since when the starts of calls have been noted, to know whether they run at all: ns since
	 * boot, as tasks have their own start. 0: they are not. */
	__u64 watched_since;
};

/*
 * Map `transfer_gate`, one element, which the kernel side alone writes once it runs. The sockets
 * of calls are looked at while `connects` differs from settings.gate_closed_at.
 * User space closes the gate by writing there what `connects` was before it looked for
 * open connections and found none: one that was opened meanwhile keeps the gate open.
 */
struct ebt_transfer_gate {
	__u64 connects; /* connections to endpoints, so far */
};

/* Map `endpoints`: the far ends of connections whose transfers are wanted. The value is unused. */
struct ebt_endpoint {
	__u8 address[16]; /* network byte order; IPv4 as ::ffff:a.b.c.d */
	__u32 port;       /* host byte order; 0: every one */
};

/*
 * Map `sharings`, by tgid: what a process has shared with others and may share no more. User space
 * writes those of processes that have several threads when capture begins, the kernel side all
 * others.
 */
enum {
	EBT_SHARED_ALL = EBT_SHARED_FILES | EBT_SHARED_FS | EBT_SHARED_MEMORY,
	EBT_SHARED_EARLIER = 1 << 8, /* user space wrote it */
};
struct ebt_sharing {
	/* When the process began, in ns since boot; with EBT_SHARED_EARLIER, the latest that it can
	 * have been. A tgid may be another's later. */
	__u64 start_time;
	__u64 what;
};

/* Map `slots`: by cpu * EBT_SLOTS + slot. Owned by the program that holds `busy`, but for `busy`
 * and `missed`. */
struct ebt_slot {
	__u64 busy;
	__u64 owner; /* address of the task_struct that holds it */
	__u64 sequence;
	__u64 seen; /* calls and process events selected by number */
	__u64 filtered;
	__u64 emitted;
	__u64 missed; /* EBT_LOST_SCRATCH_BUSY; counted in slot 0 */
	__u64 lost[EBT_LOSSES];
	__u64 since_wakeup; /* ring buffer: bytes since the reader was woken last */
	__u64 last_lost;    /* sequence number of the last record that was lost; 0: none */
	__u32 since_query;  /* ring buffer: bytes since the slot queried how much it holds */
	__u32 tight;        /* the answer: it has room for vital records alone */
	__u64 spilled;      /* perf buffers: vital records that found their own full */
};

#endif
