/* SPDX-License-Identifier: MIT */
/*
 * A program for the kernel tests to execute, built for 64 and for 32 bits. Its first
 * argument says what to do; what it does stands in the call log, which it finds behind
 * the descriptor LOG_FD.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/kernel/subject/helper_calls.h"

static struct call_log* map_log(void) {
    void* address = mmap(NULL, sizeof(struct call_log), PROT_READ | PROT_WRITE, MAP_SHARED, LOG_FD, 0);
    return address == MAP_FAILED ? NULL : address;
}

static void end(struct helper* h, int status) {
    struct log_entry* call = log_new(h->log, h->identity, LOG_SYSCALL, "exit_group", "helper.c");
    call->nr = SYS_exit_group;
    call->args[0] = (unsigned long)status;
    call->any = LOG_ANY_ARGS & ~LOG_ANY_ARG;
    call->returns = 0;
    struct log_entry* ended = log_new(h->log, h->identity, LOG_EXIT, "process_exit", "helper.c");
    ended->ret = (status & 0xff) << 8;
    syscall(SYS_exit_group, status);
}

int main(int argc, char** argv) {
    struct helper h = {map_log(), 0};
    if (!h.log)
        return 99; /* the test misses the log of this end */
    h.identity = h.log->exec_identity;
    /* What exec makes of it depends on the kernel; this is what the kernel itself says. */
    prctl(PR_GET_NAME, h.log->identity[h.identity].comm);
    if (argc > 1 && !strcmp(argv[1], "exit"))
        end(&h, argc > 2 ? atoi(argv[2]) : 0);
    if (argc > 1 && !strcmp(argv[1], "calls"))
        helper_calls(&h);
    if (argc > 1 && !strcmp(argv[1], "exec"))
        helper_exec(&h, argv[2], argv[3]);
    end(&h, 0);
}
