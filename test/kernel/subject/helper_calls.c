/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "test/kernel/subject/helper_calls.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct log_entry* helper_call(struct helper* h, const char* name, long nr, const unsigned long (*args)[6]) {
    struct log_entry* entry = log_new(h->log, h->identity, LOG_SYSCALL, name, "helper_calls.c");
    const unsigned long* a = *args;
    entry->nr = (int32_t)nr;
    for (int i = 0; i < 6; i++)
        entry->args[i] = a[i];
    const long ret = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    entry->ret = ret == -1 ? -errno : (int64_t)(unsigned long)ret; /* an address may look negative */
    entry->after_ns = log_now();
    if (entry->ret == -ENOSYS)
        log_unknown_call(h->log, name);
    return entry;
}

struct log_entry* helper_expect(struct helper* h, struct log_entry* entry, long result) {
    const int as_expected = result < 0 ? entry->ret == result : entry->ret >= 0;
    if (!as_expected && entry->ret != -ENOSYS) {
        char text[128];
        snprintf(text, sizeof text, "helper_calls.c: %s returned %lld", entry->name, (long long)entry->ret);
        log_failure(h->log, text);
    }
    return entry;
}

static struct log_path* new_path(struct helper* h, struct log_entry* entry, int argument, const char* path) {
    struct log_path* to = &entry->path[entry->paths++ % LOG_PATHS];
    to->text = log_bytes(h->log, path, (uint32_t)strlen(path));
    to->text.argument = (uint8_t)argument;
    return to;
}

struct log_entry* helper_named(struct helper* h, struct log_entry* entry, int argument, const char* path) {
    new_path(h, entry, argument, path)->text.source = LOG_USER_MEMORY;
    return entry;
}

struct log_entry* helper_file(struct helper* h, struct log_entry* entry, int argument, int fd,
                              const char* path) {
    struct log_path* to = new_path(h, entry, argument, path);
    struct stat status;
    if (fstat(fd, &status) != 0)
        log_failure(h->log, "helper_calls.c: fstat failed");
    to->text.flags = LOG_HAS_INODE;
    to->ino = status.st_ino;
    to->mode = status.st_mode;
    to->uid = status.st_uid;
    to->gid = status.st_gid;
    return entry;
}

const char* helper_at(struct helper* h, const char* name) {
    static char buffers[4][512];
    static int next;
    char* buffer = buffers[next++ % 4];
    const struct log_text* cwd = &h->log->identity[h->identity].cwd;
    snprintf(buffer, sizeof buffers[0], "%.*s/%s", (int)cwd->length, h->log->bytes + cwd->offset, name);
    return buffer;
}

struct log_identity* helper_change(struct helper* h) {
    h->identity = log_new_identity(h->log, h->identity);
    return &h->log->identity[h->identity];
}

void helper_exec(struct helper* h, const char* path, const char* name) {
    const char* const argv[] = {name, "exit", NULL};
    const char* const environment[] = {NULL};
    struct stat status;
    struct log_identity* who = helper_change(h);
    char strings[256];
    const int length = snprintf(strings, sizeof strings, "%s%cexit", name, 0) + 1;
    who->argv = log_bytes(h->log, strings, (uint32_t)length);
    who->exe.text = log_bytes(h->log, path, (uint32_t)strlen(path));
    who->exe.text.argument = 255;
    who->exe.text.flags = LOG_HAS_INODE;
    if (stat(path, &status) == 0) {
        who->exe.ino = status.st_ino;
        who->exe.mode = status.st_mode;
        who->exe.uid = status.st_uid;
        who->exe.gid = status.st_gid;
    }
    h->log->exec_identity = h->identity;
    log_new(h->log, h->identity, LOG_EXEC, "process_exec", "helper_calls.c");
    struct log_entry* entry = log_new(h->log, h->identity, LOG_SYSCALL, "execve", "helper_calls.c");
    entry->nr = SYS_execve;
    entry->args[0] = (unsigned long)path;
    entry->args[1] = (unsigned long)argv;
    entry->args[2] = (unsigned long)environment;
    entry->path[0] = who->exe;
    entry->path[0].text.argument = 0;
    entry->paths = 1;
    syscall(SYS_execve, path, argv, environment, 0, 0, 0);
    log_failure(h->log, "helper_calls.c: execve failed");
}
