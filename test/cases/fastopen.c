/* SPDX-License-Identifier: MIT */
/* A connection that the first bytes make. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address(const char* ip, int port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, ip, &in.sin_addr);
    return in;
}

int main(void) {
    struct sockaddr_in own = address("127.0.0.1", 18601);
    const int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, queue = 5;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bind(listener, (struct sockaddr*)&own, sizeof(own));
    listen(listener, queue);
    setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
    sendto(socket(AF_INET, SOCK_STREAM, 0), "hello", 5, MSG_FASTOPEN, (struct sockaddr*)&own, sizeof(own));
    struct iovec bytes = {"hello", 5};
    struct msghdr message = {
        .msg_name = &own, .msg_namelen = sizeof(own), .msg_iov = &bytes, .msg_iovlen = 1};
    sendmsg(socket(AF_INET, SOCK_STREAM, 0), &message, MSG_FASTOPEN);
    return 0;
}
