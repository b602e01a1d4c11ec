/* SPDX-License-Identifier: MIT */
/*
 * What the processes of a test do and what their events must then say, written by them
 * into memory that they share with the test. Plain C, with one layout for 64-bit and
 * 32-bit programs; it makes no system call and allocates nothing.
 */
#ifndef TEST_KERNEL_CALL_LOG_H
#define TEST_KERNEL_CALL_LOG_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#define LOG_FD 600 /* where a program that a test executes finds the log's memory */

/* The ABI of this program's own calls, as EBT_X86_64 and its neighbours, and that of what is no call. */
#if defined(__x86_64__) || defined(__i386__)
#define LOG_NATIVE_ABI 0
#else
#define LOG_NATIVE_ABI 4
#endif
#define LOG_ABI (LOG_NATIVE_ABI + (sizeof(void*) == 4))

enum log_size {
    LOG_ENTRIES = 2048,
    LOG_IDENTITIES = 512,
    LOG_BYTES = 4 << 20,
    LOG_PATHS = 4,
    LOG_STRINGS = 4,
    LOG_NAME = 64,
};

typedef uint64_t log_u64 __attribute__((aligned(8)));

/* As telemetry::Status and telemetry::Source. */
enum log_status { LOG_ABSENT, LOG_OK, LOG_TRUNCATED, LOG_FAULT, LOG_UNAVAILABLE };
enum log_source { LOG_KERNEL, LOG_USER_MEMORY, LOG_PROCFS };

enum log_flag {
    LOG_DETACHED = 1 << 0,
    LOG_FOREIGN = 1 << 1,
    LOG_AT_LEAST = 1 << 2,
    LOG_RELATIVE = 1 << 3,
    LOG_HAS_INODE = 1 << 4,
    LOG_ANY_LENGTH = 1 << 5, /* `original` is not compared */
    LOG_LEXICAL = 1 << 6,
    LOG_ANY_FOREIGN = 1 << 7, /* may be LOG_FOREIGN: where the kernel's offsets say which namespace */
};

struct log_text {
    uint32_t offset; /* into call_log.bytes */
    uint32_t length;
    uint32_t original;
    uint8_t status, source, flags, argument;
};

struct log_path {
    struct log_text text, called;
    uint32_t magic, mode, uid, gid, device; /* 0: any */
    log_u64 ino;
};

/* What every event of a thread says, until the thread changes it. */
struct log_identity {
    uint32_t pid, tid, ppid, auid, ses;
    uint32_t uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
    char comm[16];
    struct log_path exe;
    struct log_text tty, argv, cwd, root;
};

enum log_kind { LOG_SYSCALL = 1, LOG_FORK = 2, LOG_EXEC = 3, LOG_EXIT = 4 };
enum log_any {                       /* what is not known beforehand */
               LOG_ANY_ARG = 1 << 0, /* shifted by the argument's index */
               LOG_ANY_TID = 1 << 6, /* which thread comes last */
               LOG_ANY_RET = 1 << 7,
               LOG_ANY_ENDS = 1 << 8, /* of a socket */
               LOG_ANY_ARGS = 0x3f,
};

struct log_entry {
    log_u64 args[6];
    int64_t ret __attribute__((aligned(8)));
    log_u64 before_ns, after_ns; /* CLOCK_REALTIME */
    uint32_t identity;
    int32_t nr;
    uint32_t missing, child_pid;
    uint16_t any;
    uint8_t kind, abi, returns, paths, strings, socket_status;
    struct log_path path[LOG_PATHS];
    struct log_text string[LOG_STRINGS];
    struct log_text exec_argv, sockaddr;
    struct log_text unix_name; /* of the socket */
    struct log_text passed;    /* numbers of descriptors, of 32 bits; `original` of the control messages */
    uint16_t socket_family, local_port, remote_port;
    uint8_t socket_type, socket_protocol;
    uint8_t local[16], remote[16];
    char name[32];
    char where[LOG_NAME]; /* file and line of the test */
};

struct call_log {
    uint32_t entries, identities, used, unknown_calls;
    uint32_t exec_identity; /* of the program that is executed next */
    int32_t failed;
    char failure[1024];
    char unknown_call[16][32]; /* names of calls that this kernel lacks */
    char note[8][256];         /* what could not be tried, and why */
    uint32_t notes;
    struct log_identity identity[LOG_IDENTITIES];
    struct log_entry entry[LOG_ENTRIES];
    char bytes[LOG_BYTES];
};

/* Copies a string, cut to what fits. */
static inline void log_string(char* to, size_t size, const char* from) {
    size_t length = 0;
    for (; length < size - 1 && from[length]; length++)
        to[length] = from[length];
    to[length] = 0;
}

/* The first failure stands. */
static inline void log_failure(struct call_log* log, const char* text) {
    if (__sync_bool_compare_and_swap(&log->failed, 0, 1))
        log_string(log->failure, sizeof(log->failure), text);
}

static inline uint64_t log_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline struct log_text log_bytes(struct call_log* log, const void* data, uint32_t length) {
    struct log_text text = {0, length, length, LOG_OK, LOG_KERNEL, 0, 0};
    text.offset = __sync_fetch_and_add(&log->used, length);
    if (text.offset + length > LOG_BYTES) {
        log_failure(log, "the call log has no room for more bytes");
        text.offset = text.length = 0;
    } else {
        memcpy(log->bytes + text.offset, data, length);
    }
    return text;
}

/* A new identity, which starts as a copy of another one. */
static inline uint32_t log_new_identity(struct call_log* log, uint32_t from) {
    uint32_t index = __sync_fetch_and_add(&log->identities, 1);
    if (index >= LOG_IDENTITIES) {
        log_failure(log, "the call log has no room for more identities");
        return from;
    }
    log->identity[index] = log->identity[from];
    return index;
}

static inline struct log_entry* log_new(struct call_log* log, uint32_t identity, uint8_t kind,
                                        const char* name, const char* where) {
    uint32_t index = __sync_fetch_and_add(&log->entries, 1);
    if (index >= LOG_ENTRIES) {
        log_failure(log, "the call log has no room for more calls");
        index = LOG_ENTRIES - 1;
    }
    struct log_entry* entry = &log->entry[index];
    entry->kind = kind;
    entry->identity = identity;
    entry->abi = kind == LOG_SYSCALL ? LOG_ABI : LOG_NATIVE_ABI;
    entry->returns = 1;
    entry->nr = -1;
    entry->before_ns = log_now();
    entry->after_ns = UINT64_MAX; /* until it is known */
    log_string(entry->name, sizeof(entry->name), name);
    log_string(entry->where, sizeof(entry->where), where);
    return entry;
}

static inline void log_unknown_call(struct call_log* log, const char* name) {
    uint32_t count = sizeof(log->unknown_call) / sizeof(log->unknown_call[0]);
    uint32_t index = __sync_fetch_and_add(&log->unknown_calls, 1);
    if (index < count)
        log_string(log->unknown_call[index], sizeof(log->unknown_call[0]), name);
}

static inline void log_note(struct call_log* log, const char* text) {
    uint32_t count = sizeof(log->note) / sizeof(log->note[0]);
    uint32_t index = __sync_fetch_and_add(&log->notes, 1);
    if (index < count)
        log_string(log->note[index], sizeof(log->note[0]), text);
}

#endif
