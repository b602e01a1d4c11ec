/* SPDX-License-Identifier: MIT */
/* Removes a file in a directory whose path is longer than any that is reported whole. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVELS = 30 };

int main(void) {
    char name[201] = "";
    memset(name, 'd', sizeof(name) - 1);
    if (mkdir("/tmp/case_deep", 0700) || chdir("/tmp/case_deep"))
        return 1;
    for (int i = 0; i < LEVELS; i++)
        if (mkdir(name, 0700) || chdir(name))
            return 1;
    close(open("leaf", O_WRONLY | O_CREAT, 0600));
    unlink("leaf");
    for (int i = 0; i < LEVELS; i++)
        if (chdir("..") || rmdir(name))
            return 1;
    return chdir("/") || rmdir("/tmp/case_deep");
}
