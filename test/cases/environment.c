/* SPDX-License-Identifier: MIT */
/* Executes programs with environments that hide what they carry. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENOUGH = 40000 };

static void execute(char* argument, char* const environment[]) {
    char program[] = "/bin/true";
    char* const arguments[] = {program, argument, 0};
    if (fork() == 0) {
        execve(program, arguments, environment);
        _exit(1);
    }
    wait(0);
}

int main(void) {
    char plain[] = "LD_PRELOAD=/tmp/one.so", again[] = "LD_PRELOAD=/tmp/two.so", other[] = "OTHER=x";
    char quotes[] = "LD_LIBRARY_PATH=a \"b\"", prefix[] = "LD_PRELOAD_X=no", bare[] = "LD_PRELOAD";
    char* const several[] = {other, plain, prefix, bare, quotes, again, 0};
    char* const none[] = {0};
    char* const unasked[] = {other, prefix, 0};
    char* big = malloc(ENOUGH);
    memset(big, 'x', ENOUGH - 1);
    memcpy(big, "OTHER=", strlen("OTHER="));
    big[ENOUGH - 1] = '\0';
    char* const behind[] = {big, plain, 0};
    char* const before[] = {plain, big, 0};
    char several_name[] = "SEVERAL", none_name[] = "NONE", unasked_name[] = "UNASKED";
    char behind_name[] = "BEHIND", before_name[] = "BEFORE", long_name[] = "LONG";
    execute(several_name, several);
    execute(none_name, none);
    execute(unasked_name, unasked);
    execute(behind_name, behind);
    execute(before_name, before);
    memcpy(big, "LD_PRELOAD=", strlen("LD_PRELOAD="));
    big[2000] = '\0';
    char* const too_long[] = {big, 0};
    execute(long_name, too_long);
    return 0;
}
