/* SPDX-License-Identifier: MIT */
/* Executes scripts: by path, from a folder, through an interpreter that is a script, and by a descriptor. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(const char* name, const char* text) {
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        _exit(1);
    close(fd);
}

static void execute(int directory, const char* name, int flags, char* last) {
    char first[] = "NAME";
    char* const arguments[] = {first, last, 0};
    char* const environment[] = {0};
    if (fork() == 0) {
        syscall(SYS_execveat, directory, name, arguments, environment, flags);
        _exit(1);
    }
    wait(0);
}

int main(void) {
    char by_path[] = "BYPATH", in_folder[] = "INFOLDER", twice[] = "TWICE", by_fd[] = "BYFD",
         plain[] = "PLAIN";
    char below[] = "BELOWFD", linked[] = "LINKED";
    mkdir("/tmp/ebt_case_script", 0755);
    if (chdir("/tmp/ebt_case_script"))
        return 1;
    make("one", "#!/bin/true -x\n");
    make("two", "#!/tmp/ebt_case_script/one\n");
    execute(AT_FDCWD, "/tmp/../tmp/ebt_case_script/one", 0, by_path);
    execute(AT_FDCWD, "./one", 0, in_folder);
    execute(AT_FDCWD, "two", 0, twice);
    execute(AT_FDCWD, "/bin/true", 0, plain);
    symlink("/bin/true", "link");
    execute(AT_FDCWD, "link", 0, linked);
    int folder = open(".", O_RDONLY | O_DIRECTORY), file = open("one", O_RDONLY);
    execute(folder, "one", 0, below);
    execute(file, "", AT_EMPTY_PATH, by_fd);
    for (const char* const* name = (const char* const[]){"one", "two", "link", 0}; *name; name++)
        unlink(*name);
    return rmdir("/tmp/ebt_case_script");
}
