/* SPDX-License-Identifier: MIT */
/* Calls of a helper program, logged. */
#ifndef TEST_KERNEL_HELPER_CALLS_H
#define TEST_KERNEL_HELPER_CALLS_H

#include "test/kernel/subject/call_log.h"

struct helper {
    struct call_log* log;
    uint32_t identity;
};

/* Makes a call with all six arguments and logs it. */
struct log_entry* helper_call(struct helper* h, const char* name, long nr, const unsigned long (*args)[6]);

/* What its event must say; the functions return the entry. */
struct log_entry* helper_expect(struct helper* h, struct log_entry* entry, long result);
struct log_entry* helper_named(struct helper* h, struct log_entry* entry, int argument, const char* path);
struct log_entry* helper_file(struct helper* h, struct log_entry* entry, int argument, int fd,
                              const char* path);

/* A path in the current directory, in a buffer of its own for the last few. */
const char* helper_at(struct helper* h, const char* name);

/* What events say from now on. */
struct log_identity* helper_change(struct helper* h);

/* The calls that the tests want of this width. */
void helper_calls(struct helper* h);
/* Executes a program with the arguments `name`, "exit". */
void helper_exec(struct helper* h, const char* path, const char* name);

#endif
