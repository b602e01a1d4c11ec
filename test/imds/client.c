// SPDX-License-Identifier: MIT
// Asks a metadata service by one kind of system call after the other, as no library would.
//
//   client METHOD PATH [CALL]      CALL: how the request is sent and the response received
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char request[4096];
static size_t length;

static void fail(const char* what) {
    perror(what);
    exit(1);
}

static void check(long moved, const char* what) {
    if (moved < 0)
        fail(what);
}

static int connect_ipv4(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
    check(connect(fd, (void*)&to, sizeof(to)), "connect");
    return fd;
}

static int connect_ipv6(const char* address) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    inet_pton(AF_INET6, address, &to.sin6_addr);
    check(connect(fd, (void*)&to, sizeof(to)), "connect");
    return fd;
}

static void send_bytewise(int fd) {
    for (size_t i = 0; i < length; i++)
        check(write(fd, request + i, 1), "write");
}

// An empty buffer, then one of each three bytes.
static void send_writev(int fd) {
    static struct iovec parts[512];
    int count = 0;
    parts[count++] = (struct iovec){NULL, 0};
    for (size_t at = 0; at < length; at += 3)
        parts[count++] = (struct iovec){request + at, length - at < 3 ? length - at : 3};
    check(writev(fd, parts, count), "writev");
}

static void send_sendmsg(int fd) {
    size_t half = length / 2;
    struct iovec parts[2] = {{request, half}, {request + half, length - half}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    check(sendmsg(fd, &message, 0), "sendmsg");
}

static void send_sendmmsg(int fd) {
    struct iovec parts[8];
    struct mmsghdr messages[8] = {0};
    size_t each = length / 8;
    for (int i = 0; i < 8; i++) {
        parts[i] = (struct iovec){request + i * each, i == 7 ? length - 7 * each : each};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    check(sendmmsg(fd, messages, 8, 0), "sendmmsg");
}

static void send_sendfile(int fd) {
    int file = memfd_create("request", 0);
    check(write(file, request, length), "write to a file");
    lseek(file, 0, SEEK_SET);
    check(sendfile(fd, file, NULL, length), "sendfile");
}

static void send_splice(int fd) {
    int ends[2];
    check(pipe(ends), "pipe");
    check(write(ends[1], request, length), "write to a pipe");
    check(splice(ends[0], NULL, fd, NULL, length, 0), "splice");
}

// By a child that inherits the socket.
static void send_child(int fd) {
    pid_t child = fork();
    if (!child) {
        check(write(fd, request, length), "write");
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void* second_thread(void* fd) {
    check(send(*(int*)fd, request + 10, length - 10, 0), "send");
    return NULL;
}

static void send_threads(int fd) {
    pthread_t thread;
    int copy = dup(fd);
    check(send(fd, request, 10, MSG_MORE), "send");
    pthread_create(&thread, NULL, second_thread, &copy);
    pthread_join(thread, NULL);
}

static void send_send(int fd) {
    check(send(fd, request, length, 0), "send");
}

static long receive_read(int fd, char* buffer, size_t size) {
    return read(fd, buffer, size);
}

static long receive_readv(int fd, char* buffer, size_t size) {
    struct iovec parts[3] = {{buffer, 7}, {buffer + 7, 0}, {buffer + 7, size - 7}};
    return readv(fd, parts, 3);
}

static long receive_recvmsg(int fd, char* buffer, size_t size) {
    struct iovec parts[2] = {{buffer, 5}, {buffer + 5, size - 5}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return recvmsg(fd, &message, 0);
}

static long receive_recvmmsg(int fd, char* buffer, size_t size) {
    struct iovec part = {buffer, size};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    long count = recvmmsg(fd, &message, 1, 0, NULL);
    return count == 1 ? (long)message.msg_len : count;
}

// Looks first, which moves nothing.
static long receive_peek(int fd, char* buffer, size_t size) {
    recv(fd, buffer, size, MSG_PEEK);
    return recv(fd, buffer, size, 0);
}

static const struct {
    const char* name;
    void (*send)(int fd);
    long (*receive)(int fd, char* buffer, size_t size);
    const char* ipv6;
} calls[] = {
    {"bytewise", send_bytewise, receive_read, NULL},
    {"writev", send_writev, receive_readv, NULL},
    {"sendmsg", send_sendmsg, receive_recvmsg, NULL},
    {"sendmmsg", send_sendmmsg, receive_recvmmsg, NULL},
    {"sendfile", send_sendfile, receive_read, NULL},
    {"splice", send_splice, receive_read, NULL},
    {"child", send_child, receive_read, NULL},
    {"threads", send_threads, receive_peek, NULL},
    {"ipv6", send_send, receive_peek, "fd00:ec2::254"},
    {"mapped", send_send, receive_peek, "::ffff:169.254.169.254"},
};

int main(int argc, char** argv) {
    if (argc != 4)
        return 2;
    length = snprintf(request, sizeof(request),
                      "%s %s HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: %s\r\n"
                      "X-Padding: with spaces\r\nConnection: close\r\n\r\n",
                      argv[1], argv[2], argv[3]);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        char buffer[4096];
        long got, all = 0;
        if (strcmp(calls[i].name, argv[3]))
            continue;
        int fd = calls[i].ipv6 ? connect_ipv6(calls[i].ipv6) : connect_ipv4();
        calls[i].send(fd);
        while ((got = calls[i].receive(fd, buffer, sizeof(buffer))) > 0)
            all += got;
        return all > 0 ? 0 : 3;
    }
    return 2;
}
