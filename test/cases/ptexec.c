/* SPDX-License-Identifier: MIT */
/* In the middle of an execve a tracer changes the number of the call, or the new program's first argument. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cases/support/tracee.h"

/* "-u" becomes "--". The new stack begins with the number of the arguments, then come their addresses. */
static void change_argument(pid_t child) {
    const long address = ptrace(PTRACE_PEEKDATA, child, (void*)(stack_of(child) + 16), NULL);
    const long word = ptrace(PTRACE_PEEKDATA, child, (void*)address, NULL);
    ptrace(PTRACE_POKEDATA, child, (void*)address, (void*)((word & ~0xffffL) | '-' << 8 | '-'));
}

int main(int count, char** argument) {
    const char* const mode = count > 1 ? argument[1] : "number";
    const int lingers = !strcmp(mode, "linger"), changes_argument = !strcmp(mode, "argument");
    const pid_t child = fork();
    int status;
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        raise(SIGSTOP);
        if (changes_argument)
            execl("/bin/cat", "cat", "-u", "/dev/null", (char*)NULL);
        execl("/bin/cat", "cat", "/etc/hostname", (char*)NULL);
        _exit(1);
    }
    waitpid(child, &status, WUNTRACED);
    ptrace(PTRACE_SEIZE, child, NULL, (void*)(long)PTRACE_O_TRACEEXEC);
    while (lingers)
        pause(); /* so that there is a process with a tracer before the program starts */
    kill(child, SIGCONT);
    for (;;) {
        waitpid(child, &status, 0);
        if (WIFEXITED(status) || WIFSIGNALED(status))
            return 0;
        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8))) {
            if (changes_argument)
                change_argument(child);
            else
                set_number(child, !strcmp(mode, "none") ? -1 : SYS_getpid);
        }
        ptrace(PTRACE_CONT, child, NULL, NULL);
    }
}
