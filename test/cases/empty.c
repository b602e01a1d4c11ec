/* SPDX-License-Identifier: MIT */
/* Calls with an empty path, about descriptors of all kinds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    int pipes[2] = {-1, -1};
    char buffer[512];
    pipe(pipes);
    const int fds[] = {
        pipes[0],
        socket(AF_UNIX, SOCK_STREAM, 0),
        eventfd(0, 0),
        memfd_create("m", 0),
        open("/proc/self/ns/uts", O_RDONLY),
        open("/proc/self/ns/mnt", O_RDONLY),
        open("/etc/passwd", O_RDONLY),
    };
    for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        syscall(SYS_newfstatat, fds[i], "", buffer, AT_EMPTY_PATH);
        syscall(SYS_fstat, fds[i], buffer);
        syscall(SYS_statx, fds[i], "", AT_EMPTY_PATH, 0x7ff, buffer);
    }
    return 0;
}
