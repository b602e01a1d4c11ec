/* SPDX-License-Identifier: MIT */
/* x32's number of execve without its bit: no call (ENOSYS) since Linux 5.4. */
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    const char* const argv[] = {"no", 0};
    if (syscall(520, "/no/such", argv, 0) == 0)
        return 1;
    syscall(SYS_execve, "/no/other", argv, 0);
    return 0;
}
