/* SPDX-License-Identifier: MIT */
/* Executes what lies in a folder that a rule names: a script by two spellings, a binary, and a link that
 * leads elsewhere. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/tmp/case_execpath"

static void execute(const char* name, char* last) {
    char* const arguments[] = {(char*)name, last, 0};
    if (fork() == 0) {
        execv(name, arguments);
        _exit(1);
    }
    wait(0);
}

/* A copy of this very program, which does nothing when it is called with an argument. */
static void copy(const char* name) {
    const int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    while (sendfile(to, from, 0, 1 << 20) > 0)
        ;
    close(from);
    close(to);
}

int main(int count, char** argument) {
    char absolute[] = "ABS", relative[] = "REL", binary[] = "ELF", linked[] = "LNK";
    (void)argument;
    if (count > 1)
        return 0;
    mkdir(FOLDER, 0755);
    const int script = open(FOLDER "/script", O_CREAT | O_WRONLY | O_TRUNC, 0755);
    write(script, "#!/bin/true\n", 12);
    close(script);
    copy(FOLDER "/binary");
    symlink("/bin/true", FOLDER "/link");
    execute(FOLDER "/script", absolute);
    chdir(FOLDER);
    execute("./script", relative);
    execute(FOLDER "/binary", binary);
    execute(FOLDER "/link", linked);
    unlink(FOLDER "/script");
    unlink(FOLDER "/binary");
    unlink(FOLDER "/link");
    return rmdir(FOLDER);
}
