/* SPDX-License-Identifier: MIT */
/* Old 32-bit programs have the arguments of socket calls in memory, where another thread can change them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ends[2], decoy[2];
static char byte;
static volatile long arguments[4];

static void* change(void* unused) {
    usleep(100000);
    arguments[0] = decoy[0];
    if (write(ends[1], "x", 1) != 1)
        return unused;
    pause();
    return unused;
}

int main(void) {
    enum { recv_call = 10, socketcall_number = 102 };
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, decoy))
        return 1;
    arguments[0] = ends[0];
    arguments[1] = (long)&byte;
    arguments[2] = 1;
    pthread_create(&thread, 0, change, 0);
    return syscall(socketcall_number, recv_call, arguments) != 1;
}
