/* SPDX-License-Identifier: MIT */
/* One call that sends to two addresses, a raw socket, and addresses of every family and of none. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_in address(const char* ip, int port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, ip, &in.sin_addr);
    return in;
}

/* Datagrams to another peer than the connected one, and addresses of other families. */
static void name_others(void) {
    const struct sockaddr_in first = address("127.0.0.1", 18611), other = address("127.6.6.6", 18611);
    const int udp = socket(AF_INET, SOCK_DGRAM, 0);
    connect(udp, (struct sockaddr*)&first, sizeof(first));
    sendto(udp, "y", 1, 0, (struct sockaddr*)&other, sizeof(other));
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    connect(udp, &nobody, sizeof(nobody));

    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/case_mmsg"};
    unlink(name.sun_path);
    bind(socket(AF_UNIX, SOCK_DGRAM, 0), (const struct sockaddr*)&name, sizeof(name));
    sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (const struct sockaddr*)&name, sizeof(name));
    unlink(name.sun_path);

    const struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_ifindex = 1, .sll_halen = 6};
    char frame[64] = {0};
    sendto(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), frame, sizeof(frame), 0,
           (const struct sockaddr*)&link, sizeof(link));
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = 0x11};
    bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), (const struct sockaddr*)&kernel, sizeof(kernel));
}

/* Without a family: the kernel takes it to be the socket's own, but on IPv6 for no address at all. */
static void name_no_family(void) {
    struct sockaddr_in first = address("127.0.0.3", 18621), second = address("127.0.0.4", 18621);
    first.sin_family = second.sin_family = AF_UNSPEC;
    struct iovec bytes = {"x", 1};
    struct mmsghdr messages[2] = {
        {.msg_hdr = {.msg_name = &first, .msg_namelen = sizeof(first), .msg_iov = &bytes, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &second, .msg_namelen = sizeof(second), .msg_iov = &bytes, .msg_iovlen = 1}},
    };
    const int udp = socket(AF_INET, SOCK_DGRAM, 0);
    sendmmsg(udp, messages, 2, 0);
    sendto(udp, "x", 1, 0, (struct sockaddr*)&first, sizeof(first));

    struct sockaddr_in6 peer = {
        .sin6_family = AF_INET6, .sin6_port = htons(18622), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int connected = socket(AF_INET6, SOCK_DGRAM, 0);
    connect(connected, (struct sockaddr*)&peer, sizeof(peer));
    peer.sin6_family = AF_UNSPEC;
    peer.sin6_port = htons(18623); /* it goes to the peer all the same */
    sendto(connected, "y", 1, 0, (struct sockaddr*)&peer, sizeof(peer));
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
    name_others();
    name_no_family();
    return 0;
}
