/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work in progress of one slot. What lives here instead of in registers is an
 * unknown number to the verifier, which lets it recognise states it has seen.
 */
#ifndef EBT_BASE_SCRATCH_H
#define EBT_BASE_SCRATCH_H

#include "kern/base/base.h"

/* What is captured next: s->phase. */
enum phase {
	PHASE_BEGIN = 0,
	PHASE_EXE = 1,
	PHASE_IMAGE = 2,
	PHASE_CWD = 3,
	PHASE_ROOT = 4,
	PHASE_STEPS = 5, /* plus the index of the step */
};

/* How a capture went, and so what comes next. */
enum outcome {
	CAPTURED = 0,    /* the field is complete, or has been left out */
	NEEDS_WALK = 1,  /* the walker stands at a dentry */
	NEEDS_ARGV = 2,  /* the cursor stands at an argument vector */
	NEEDS_IMAGE = 3, /* what a process image has besides its executable */
};

struct mount_view {
	__u64 parent;
	__u64 mountpoint;
	__u64 root;
};

struct dentry_view {
	__u64 hashed; /* 0: no path leads there any more */
	__u64 parent;
	__u32 hash;
	__u32 length;
	__u64 name;
	__u64 inode;
	__u64 short_name[5]; /* where `name` may point to */
};

struct walker {
	__u64 dentry;
	__u64 mount;           /* struct mount that the dentry is in */
	struct mount_view in;  /* what it says */
	struct dentry_view at; /* the dentry, until the walk ends, and what follows in it */
	__u64 inode;           /* of the file, for its file system's magic; 0: not wanted */
	__u64 end;             /* where the components would end if all had found room */
	__u64 kept;            /* where those in the record end */
	__u64 limit;           /* how far they may reach */
	__u64 stop;  /* the cwd's dentry, once the record has the cwd: what is below need not repeat
			it */
	__u32 field; /* where the field's struct ebt_field stands in the record */
	__u32 below_cwd;
};

struct argv_cursor {
	__u64 pointer; /* next element of the array, in user memory */
	__u64 string;  /* that element */
	__s64 got;     /* bytes of the string, or why it could not be read */
	__u64 end;     /* of the strings in the record */
	__u64 limit;   /* where they have to end */
	__u32 field;
	__u32 width; /* bytes of a pointer: 8, or 4 for i386 and x32 */
};

/* Where the copying of a call's bytes stands. */
struct transfer_cursor {
	__u64 buffer, length;    /* at hand, in user memory; length 0: none */
	__u64 vector, vectors;   /* struct iovec that come after it */
	__u64 message, messages; /* struct msghdr, or mmsghdr, that come after these */
	__u64 left;              /* bytes of the message at hand that are still to come */
	__u64 total;
	__u64 end; /* of the bytes in the record */
	__u64 limit;
	__u64 half;    /* bytes at `buffer`, of which only some could be read */
	__u32 field;   /* where the field's struct ebt_field stands in the record */
	__u32 narrow;  /* the structures are those of 32 bits */
	__u32 several; /* struct mmsghdr: each has a length of its own */
	__u32 fault;   /* something could not be read: what follows has no place */
	__u32 unseen;  /* there are no bytes to read */
	__u32 next;    /* the stage after the field */
	__u32 reserved;
};

/* Room that a masked position plus the largest single read can reach. */
#define RECORD_MASK 0xffff
#define RECORD_ROOM (RECORD_MASK + 1 + EBT_ARGV_MAX + 4096)

struct known_image {
	__u64 start_time;
	__u64 exec_id;
	__u64 nsproxy; /* the process's namespaces, which it may change, by their address */
};

/* A process that had no mark in `sharings` when so many had been made. */
struct unmarked_process {
	__u64 start_time;
	__u64 marks;
	__u64 tgid; /* 0: none */
};

/* What records need of the caller's task_struct. */
struct task_view {
	__u64 parent;
	__u64 leader;
	__u64 cred;
	__u64 fs;
	__u64 files;
	__u64 nsproxy;
	__u32 auid;
	__u32 ses;
	__u32 exec_id;
	__u32 seccomp; /* mode; 0: no filter */
};

/* What a call was given in memory: where it is, and how long it is said to be. */
struct given {
	__u64 pointer;
	__u64 length;
	__u32 most; /* bytes of it that are kept: CONTROL_MAX or less */
	__u32 kind;
};

#define WINDOW 256 /* bytes: with the locks of a debugging kernel, too */

/* What is witnessed, or was: see witness/witness.h. */
enum witness_mode {
	WITNESS_NONE = 0,
	WITNESS_TAKEN = 1,  /* the record's call has a witness */
	WITNESS_STORE = 2,  /* a path is walked to be kept; there is no record */
	WITNESS_EVENT = 3,  /* ... for a record of its own, whose filter comes next */
	WITNESS_DETAIL = 4, /* that has passed the filter */
};

struct witness_cursor {
	__u64 mount;
	__u64 second; /* dentry of the path that comes after this one */
	__u64 socket; /* that the call acted on; 0: not known */
	__u32 mode;   /* witness_mode */
	__u32 which;
};

struct scratch {
	__u64 values[EBT_VALUES];
	__u64 window[WINDOW / 8]; /* a piece of a kernel structure: see READ_SPAN */
	struct task_view task;
	__u64 top_mount; /* root mount of the caller's mount namespace; 0: unknown */
	__u64 root_mount, root_dentry;
	__u64 pwd_mount, pwd_dentry;
	struct walker walker;
	struct argv_cursor argv;
	struct transfer_cursor transfer;
	struct witness_cursor witness;
	struct given given;
	__s64 string_result; /* for forget_range() */
	__u32 phase;
	__u32 step_list;      /* index into the plan's steps: 1 when the call succeeded */
	__u32 tail_calls;     /* of this run: the kernel allows 32 or 33 */
	__u32 reserved_calls; /* tail calls that the rest of the record needs */
	__u32 position;       /* end of the record so far */
	__u32 row;
	__u32 image_whole;       /* the record has the whole image: later ones need not have it */
	__u32 next_record_stage; /* which begins another record after this one; 0: none */
	__u32 chrooted;
	__u32 message; /* twice the next one of several; odd: its control messages are next */
	__u32 cwd_written;
	__u32 with_image;   /* the image may go with the record */
	__u32 has_identity; /* header_identity has run */
	__u32 vital;        /* of the plan's flags */
	__u32 watched;      /* whether the call ran is known */
	__u32 screens;      /* of the clauses that let the call pass; see ebt_screen */
	__u32 uncertain;    /* the record may name a path that it does not show */
	__u32 screened;     /* how far the record has been looked through */
	__u32 memory_noted; /* whether others share the caller's memory has been looked at */
	__u32 last_tgid;    /* of the image that was found last in `known_images` */
	struct known_image last_image;
	struct unmarked_process unmarked; /* that was looked for last; see sharing.h */
	union {
		struct ebt_header header;
		__u8 record[RECORD_ROOM];
	};
};

#endif
