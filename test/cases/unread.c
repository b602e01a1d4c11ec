/* SPDX-License-Identifier: MIT */
/* Paths, arguments and addresses in memory that is not there to be read, under the default rules. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un* address;

static void* unmap(void* unused) {
    usleep(100000);
    munmap(address, 4096);
    return unused;
}

static void* take(void* listener) {
    usleep(300000);
    for (int i = 0; i < 2; i++)
        close(accept((int)(long)listener, 0, 0));
    return 0;
}

int main(void) {
    char* const nowhere = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* const argv[] = {"one", nowhere, 0};
    execv("/no/program", argv);
    unlink(nowhere);
    chmod(nowhere, 04755);
    /* An address that goes while the call waits for room in the queue. */
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    memcpy(own.sun_path, "\0case_unread", 12);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr*)&own, sizeof(own));
    listen(listener, 0);
    connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&own, sizeof(own));
    address = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(address, &own, sizeof(own));
    pthread_t threads[2];
    pthread_create(&threads[0], 0, unmap, 0);
    pthread_create(&threads[1], 0, take, (void*)(long)listener);
    connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)address, sizeof(own));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
    return 0;
}
