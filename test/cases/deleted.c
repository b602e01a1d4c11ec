/* SPDX-License-Identifier: MIT */
/* A program that removes its own file, and is first heard of by that. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
    char copy[] = "/tmp/case_deleted.copy";
    if (argc > 1) {
        memset(argv[1], 'b', strlen(argv[1]));
        unlink(copy);
        return 0;
    }
    const int from = open("/proc/self/exe", O_RDONLY), to = open(copy, O_WRONLY | O_CREAT, 0700);
    while (sendfile(to, from, 0, 1 << 20) > 0)
        ;
    close(to);
    if (fork() == 0)
        _exit(execl(copy, copy, "again", (char*)0));
    wait(0);
    return 0;
}
