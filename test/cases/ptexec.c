/* SPDX-License-Identifier: MIT */
/* A tracer changes the number of a call in the middle of an execve, and makes a call never run. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_number(pid_t child, long number) {
    ptrace(PTRACE_POKEUSER, child, (void*)offsetof(struct user_regs_struct, orig_rax), (void*)number);
}

int main(int count, char** argument) {
    const long number = count > 1 && !strcmp(argument[1], "none") ? -1 : SYS_getpid;
    const int lingers = count > 1 && !strcmp(argument[1], "linger");
    const pid_t child = fork();
    int status;
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        raise(SIGSTOP);
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
        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8)))
            set_number(child, number);
        ptrace(PTRACE_CONT, child, NULL, NULL);
    }
}
