/* SPDX-License-Identifier: MIT */
/* A connect blocks while another thread puts another socket in the place of the descriptor. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static int decoy, used;
static struct sockaddr_in wanted, other;

static void* replace(void* unused) {
    usleep(300000);
    dup2(decoy, used);
    return unused;
}

static void* accept_late(void* listener) {
    usleep(700000);
    for (int i = 0; i < 4; i++)
        accept((int)(long)listener, 0, 0);
    return 0;
}

static int listen_at(struct sockaddr_in* address, int port, int backlog) {
    const int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    address->sin_family = AF_INET;
    address->sin_port = htons((unsigned short)port);
    inet_pton(AF_INET, "127.0.0.1", &address->sin_addr);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bind(s, (void*)address, sizeof(*address));
    listen(s, backlog);
    return s;
}

int main(void) {
    pthread_t thread;
    const int full = listen_at(&wanted, 18703, 0);
    listen_at(&other, 18704, 5);
    decoy = socket(AF_INET, SOCK_STREAM, 0);
    connect(decoy, (void*)&other, sizeof(other));
    for (int i = 0; i < 2; i++)
        connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (void*)&wanted, sizeof(wanted));
    usleep(50000);
    pthread_create(&thread, 0, accept_late, (void*)(long)full);
    used = socket(AF_INET, SOCK_STREAM, 0);
    pthread_create(&thread, 0, replace, 0);
    connect(used, (void*)&wanted, sizeof(wanted));
    return 0;
}
