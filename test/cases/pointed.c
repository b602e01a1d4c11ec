/* SPDX-License-Identifier: MIT */
/* What a call is asked for by memory that an argument points to. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/ebt_pointed"

static void times(void) {
    const long seconds_and_ns[4] = {978307200, 5, 0, UTIME_OMIT};
    syscall(SYS_utimensat, AT_FDCWD, FOLDER "/file", seconds_and_ns, 0);
    const long before_the_epoch[4] = {-1, 0, 0, UTIME_NOW};
    syscall(SYS_utimensat, AT_FDCWD, FOLDER "/file", before_the_epoch, 0);
    syscall(SYS_utimensat, AT_FDCWD, FOLDER "/file", (void*)16, 0);
}

static void attributes(void) {
    const uint32_t bind_and_raw[5] = {0x02000001, 1u << 10 | 1u << 13, 0, 1u << 7, 0};
    syscall(SYS_setxattr, FOLDER "/file", "security.capability", bind_and_raw, sizeof bind_and_raw, 0);
    syscall(SYS_setxattr, FOLDER "/file", "trusted.note", "two\nlines", 9, 0);
}

static void settings(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    write(fd, "321", 3);
    close(fd);
    fd = open(FOLDER "/file", O_WRONLY);
    write(fd, "a secret", 8);
    close(fd);
}

static void structures(void) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    syscall(SYS_openat2, AT_FDCWD, "/etc/hostname", &how, sizeof how);
    uint64_t clone_args[8] = {0};
    clone_args[0] = CLONE_FS;
    clone_args[4] = SIGCHLD;
    if (syscall(SYS_clone3, clone_args, sizeof clone_args) == 0)
        _exit(0);
    wait(0);
}

/* Where nothing can be any more. */
static void removed_directory(void) {
    chdir(FOLDER);
    unlink(FOLDER "/file");
    rmdir(FOLDER);
    open("after", O_WRONLY | O_CREAT, 0600);
    close(open("../ebt_pointed_beside", O_WRONLY | O_CREAT, 0600));
    unlink("/tmp/ebt_pointed_beside");
}

int main(void) {
    mkdir(FOLDER, 0700);
    close(open(FOLDER "/file", O_WRONLY | O_CREAT, 0600));
    times();
    attributes();
    settings();
    structures();
    removed_directory();
    return 0;
}
