/* SPDX-License-Identifier: MIT */
/* A 32-bit program executes another. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char program[] = "/bin/true", argument[] = "ARGX", flag[] = "ARGY";
    char* const first[] = {program, argument, 0};
    char* const second[] = {program, flag, 0};
    if (fork() == 0)
        _exit(execv(program, first));
    if (fork() == 0)
        _exit(syscall(SYS_execveat, AT_FDCWD, program, second, environ, 0));
    while (wait(0) > 0)
        ;
    return 0;
}
