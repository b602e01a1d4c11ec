/* SPDX-License-Identifier: MIT */
/* A container of the simplest kind writes its own /etc/passwd. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", "/tmp", "tmpfs", 0, NULL)) {
        perror("a mount namespace");
        return 1;
    }
    mkdir("/tmp/old", 0700);
    mkdir("/tmp/etc", 0755);
    if (chdir("/tmp") || syscall(SYS_pivot_root, ".", "old") || chdir("/") || umount2("/old", MNT_DETACH)) {
        perror("pivot_root");
        return 1;
    }
    close(open("/etc/passwd", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    chmod("/etc/passwd", 04755);
    unlink("/etc/passwd");
    return 0;
}
