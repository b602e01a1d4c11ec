/* SPDX-License-Identifier: MIT */
/* A tracer has a child's calls never run (PTRACE_SYSEMU) and answers them. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cases/support/tracee.h"

int main(int count, char** argument) {
    const int lingers = count > 1 && !strcmp(argument[1], "linger");
    int status;
    const pid_t child = fork();
    if (child == 0) {
        char path[] = "/etc/ebt_sysemu"; /* its memory is there to be read */
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        chmod(path, 04755);
        _exit(0);
    }
    waitpid(child, &status, 0);
    while (lingers)
        pause(); /* so that there is a process with a tracer before the program starts */
    for (int calls = 0; calls < 20; calls++) {
        ptrace(PTRACE_SYSEMU, child, 0, 0);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status))
            return 0;
        set_result(child, 0);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return 0;
}
