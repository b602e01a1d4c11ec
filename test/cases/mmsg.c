/* SPDX-License-Identifier: MIT */
/* One call that sends to two addresses, and a raw socket. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address(const char* ip, int port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, ip, &in.sin_addr);
    return in;
}

int main(void) {
    struct sockaddr_in first = address("127.0.0.1", 11), second = address("127.6.6.6", 22);
    struct iovec bytes = {"x", 1};
    struct mmsghdr messages[2] = {
        {.msg_hdr = {.msg_name = &first, .msg_namelen = sizeof(first), .msg_iov = &bytes, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &second, .msg_namelen = sizeof(second), .msg_iov = &bytes, .msg_iovlen = 1}},
    };
    sendmmsg(socket(AF_INET, SOCK_DGRAM, 0), messages, 2, 0);
    char packet[20] = {0};
    sendto(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), packet, sizeof(packet), 0, (struct sockaddr*)&second,
           sizeof(second));
    return 0;
}
