/* SPDX-License-Identifier: MIT */
/* Descriptors that go over a socket, one call after the other and in the second of two messages. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char byte[] = "x";
static struct iovec bytes = {byte, 1};
static _Alignas(struct cmsghdr) char space[2][CMSG_SPACE(2 * sizeof(int))];

static struct msghdr message(int which, const int* passed) {
    struct msghdr head = {.msg_iov = &bytes,
                          .msg_iovlen = 1,
                          .msg_control = space[which],
                          .msg_controllen = sizeof(space[which])};
    if (passed) {
        struct cmsghdr* control = CMSG_FIRSTHDR(&head);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(2 * sizeof(int));
        memcpy(CMSG_DATA(control), passed, 2 * sizeof(int));
    }
    return head;
}

int main(void) {
    int pair[2] = {-1, -1};
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    const int passed[2] = {dup2(open("/etc/passwd", O_RDONLY), 77), dup2(0, 78)};
    struct msghdr one = message(0, passed);
    sendmsg(pair[0], &one, 0);
    one = message(0, NULL);
    recvmsg(pair[1], &one, 0);
    struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &bytes, .msg_iovlen = 1}},
                             {.msg_hdr = message(1, passed)}};
    sendmmsg(pair[0], two, 2, 0);
    return 0;
}
