/* SPDX-License-Identifier: MIT */
/* Changes a file of the system under six spellings of its name. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    static const char* const paths[] = {
        "/etc/ebt_dots",
        "//etc/ebt_dots",
        "/./etc/ebt_dots",
        "/tmp/../etc/ebt_dots",
        "/proc/self/root/etc/ebt_dots",
        "/proc/1/root/etc/ebt_dots",
    };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        close(creat("/etc/ebt_dots", 0600));
        chmod(paths[i], 0644);
        unlink(paths[i]);
        mkdir(paths[i], 0700);
        rmdir(paths[i]);
        symlink("x", paths[i]);
        unlink("/etc/ebt_dots");
    }
    return 0;
}
