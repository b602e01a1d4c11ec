/* SPDX-License-Identifier: MIT */
/* Opens a file that is not there, that is there, and with a flag that says so; and below a directory as the
 * root. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_1 "/tmp/ebt_created_1"
#define FILE_2 "/tmp/ebt_created_2"
#define FILE_3 "/tmp/ebt_created_3"

static void open_in_root(void) {
    struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0600, .resolve = RESOLVE_IN_ROOT};
    mkdir("/tmp/ebt_created", 0700);
    const int directory = open("/tmp/ebt_created", O_RDONLY | O_DIRECTORY);
    syscall(SYS_openat2, directory, "/in_root", &how, sizeof(how));
    how.flags = how.mode = 0;
    syscall(SYS_openat2, directory, "/missing", &how, sizeof(how));
    syscall(SYS_openat2, directory, "/../../missing", &how, sizeof(how));
    unlink("/tmp/ebt_created/in_root");
    rmdir("/tmp/ebt_created");
}

int main(void) {
    struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0600};
    unlink(FILE_1);
    unlink(FILE_2);
    unlink(FILE_3);
    int made = openat(AT_FDCWD, FILE_1, O_CREAT | O_WRONLY, 0600);
    openat(AT_FDCWD, FILE_1, O_CREAT | O_RDWR, 0600);
    fcntl(made, F_DUPFD, 10); /* whose file was created, but not by this call */
    creat(FILE_2, 0600);
    creat(FILE_2, 0600);
    syscall(SYS_openat2, AT_FDCWD, FILE_3, &how, sizeof(how));
    openat(AT_FDCWD, FILE_3, O_RDONLY);
    unlink(FILE_1);
    unlink(FILE_2);
    unlink(FILE_3);
    open_in_root();
    return 0;
}
