/* SPDX-License-Identifier: MIT */
/* System V's ipc by the one number that old 32-bit programs have for it, and numbers that are none. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
    syscall(117, 23, 0, 4096, 0600, 0, 0); /* ipc(SHMGET) */
    syscall(395, 0, 8192, 0600);           /* shmget */
    syscall(0x40000014);                   /* getpid with x32's bit: ENOSYS */
    return 0;
}
