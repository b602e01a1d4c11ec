// SPDX-License-Identifier: MIT
// Asks a metadata service by one kind of system call after the other, as no library would.
//
//   client CALL URL-PATH [ADDRESS [METHOD [HEADER]...]]
//
// CALL: how the request is sent and the response received. It is the User-Agent too.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
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
static size_t split_at; // the first of two parts
static long responses = 1;
static int by_close = 1; // the response ends with the connection
static struct sockaddr_storage to;

static void fail(const char* what) {
    perror(what);
    exit(1);
}

static void check(long moved, const char* what) {
    if (moved < 0)
        fail(what);
}

static void set_address(const char* address) {
    struct sockaddr_in* ipv4 = (void*)&to;
    struct sockaddr_in6* ipv6 = (void*)&to;
    int is_ipv6 = strchr(address, ':') != NULL;
    to.ss_family = is_ipv6 ? AF_INET6 : AF_INET;
    if (inet_pton(to.ss_family, address, is_ipv6 ? (void*)&ipv6->sin6_addr : (void*)&ipv4->sin_addr) != 1)
        fail(address);
    *(is_ipv6 ? &ipv6->sin6_port : &ipv4->sin_port) = htons(80);
}

static socklen_t address_size(void) {
    return to.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int connect_plainly(void) {
    int fd = socket(to.ss_family, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); // each write is a packet
    check(connect(fd, (void*)&to, address_size()), "connect");
    return fd;
}

static void wait_for(int fd, short events) {
    struct pollfd poller = {.fd = fd, .events = events};
    check(poll(&poller, 1, 5000), "poll");
}

static int connect_later(void) {
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(fd, (void*)&to, address_size()) && errno != EINPROGRESS)
        fail("connect");
    wait_for(fd, POLLOUT);
    return fd;
}

static void send_write(int fd) {
    check(write(fd, request, length), "write");
}

static void send_send(int fd) {
    check(send(fd, request, length, 0), "send");
}

static void send_sendto(int fd) {
    check(sendto(fd, request, length, 0, (void*)&to, address_size()), "sendto");
}

static void send_bytewise(int fd) {
    for (size_t i = 0; i < length; i++)
        check(write(fd, request + i, 1), "write");
}

static void send_split(int fd) {
    check(write(fd, request, split_at), "write");
    check(write(fd, request + split_at, length - split_at), "write");
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
        send_write(fd);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void pass(int through, int fd) {
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    check(sendmsg(through, &message, 0), "pass");
}

static int take_passed(int through) {
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd = -1;
    check(recvmsg(through, &message, 0), "take");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    return fd;
}

// By another process that gets the socket handed over.
static void send_passed(int fd) {
    int pair[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
    pid_t child = fork();
    if (!child) {
        close(fd);
        send_write(take_passed(pair[1]));
        _exit(0);
    }
    pass(pair[0], fd);
    waitpid(child, NULL, 0);
}

static void* second_thread(void* fd) {
    check(send(*(int*)fd, request + 10, length - 10, 0), "send");
    return NULL;
}

static void send_threads(int fd) {
    pthread_t thread;
    check(send(fd, request, 10, MSG_MORE), "send");
    pthread_create(&thread, NULL, second_thread, &fd);
    pthread_join(thread, NULL);
}

static void send_duplicated(int fd) {
    check(write(dup(fd), request, 20), "write");
    check(write(fcntl(fd, F_DUPFD, 100), request + 20, 20), "write");
    check(write(dup3(fd, 200, 0), request + 40, length - 40), "write");
}

// Three at once.
static void send_pipelined(int fd) {
    char all[3 * sizeof(request)];
    for (int i = 0; i < 3; i++)
        memcpy(all + i * length, request, length);
    check(write(fd, all, 3 * length), "write");
}

static void send_nothing(int fd) {
    (void)fd;
}

static void send_garbage(int fd) {
    check(write(fd, "\0\1\2 SECRET garbage\r\n\r\n", 23), "write");
    shutdown(fd, SHUT_WR);
}

static long receive_read(int fd, char* buffer, size_t size) {
    return read(fd, buffer, size);
}

static long receive_recv(int fd, char* buffer, size_t size) {
    return recv(fd, buffer, size, 0);
}

static long receive_recvfrom(int fd, char* buffer, size_t size) {
    struct sockaddr_storage from;
    socklen_t from_size = sizeof(from);
    return recvfrom(fd, buffer, size, 0, (void*)&from, &from_size);
}

static long receive_bytewise(int fd, char* buffer, size_t size) {
    return read(fd, buffer, size ? 1 : 0);
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

// Into a pipe, and out of that.
static long receive_splice(int fd, char* buffer, size_t size) {
    int ends[2];
    check(pipe(ends), "pipe");
    long got = splice(fd, NULL, ends[1], NULL, size, 0);
    if (got > 0)
        got = read(ends[0], buffer, got);
    close(ends[0]);
    close(ends[1]);
    return got;
}

// Each time, there is nothing yet at first.
static long receive_later(int fd, char* buffer, size_t size) {
    long got = read(fd, buffer, size);
    while (got < 0 && errno == EAGAIN) {
        wait_for(fd, POLLIN);
        got = read(fd, buffer, size);
    }
    return got;
}

// Without looking at them: what is thrown away is still moved.
static long receive_nowhere(int fd, char* buffer, size_t size) {
    return recv(fd, buffer, size, MSG_TRUNC);
}

static const struct {
    const char* name;
    int (*connect)(void);
    void (*send)(int fd);
    long (*receive)(int fd, char* buffer, size_t size);
} calls[] = {
    {"write", connect_plainly, send_write, receive_read},
    {"send", connect_plainly, send_send, receive_recv},
    {"sendto", connect_plainly, send_sendto, receive_recvfrom},
    {"bytewise", connect_plainly, send_bytewise, receive_bytewise},
    {"split", connect_plainly, send_split, receive_read},
    {"writev", connect_plainly, send_writev, receive_readv},
    {"sendmsg", connect_plainly, send_sendmsg, receive_recvmsg},
    {"sendmmsg", connect_plainly, send_sendmmsg, receive_recvmmsg},
    {"sendfile", connect_plainly, send_sendfile, receive_read},
    {"splice-out", connect_plainly, send_splice, receive_read},
    {"splice-in", connect_plainly, send_write, receive_splice},
    {"truncated", connect_plainly, send_write, receive_nowhere},
    {"child", connect_plainly, send_child, receive_read},
    {"passed", connect_plainly, send_passed, receive_read},
    {"threads", connect_plainly, send_threads, receive_peek},
    {"duplicated", connect_plainly, send_duplicated, receive_read},
    {"pipelined", connect_plainly, send_pipelined, receive_read},
    {"non-blocking", connect_later, send_write, receive_later},
    {"unanswered", connect_plainly, send_write, NULL},
    {"silent", connect_plainly, send_nothing, NULL},
    {"garbage", connect_plainly, send_garbage, receive_read},
};

static void make_request(int argc, char** argv) {
    const char* call = argv[1];
    by_close = strcmp(call, "split") && strcmp(call, "pipelined");
    length = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n",
                      argc > 4 ? argv[4] : "GET", argv[2], argc > 3 ? argv[3] : "169.254.169.254", call);
    for (int i = 5; i < argc; i++)
        length += snprintf(request + length, sizeof(request) - length, "%s\r\n", argv[i]);
    length += snprintf(request + length, sizeof(request) - length, "%s\r\n",
                       by_close ? "Connection: close\r\n" : "");
}

// All of a response, or of several on one connection: each has a body of the same last byte.
static long receive_all(int fd, long (*receive)(int, char*, size_t)) {
    char buffer[65536];
    long got, all = 0, ends = 0;
    while ((by_close || ends < responses) && (got = receive(fd, buffer, sizeof(buffer))) > 0) {
        all += got;
        for (long i = 0; i + 19 <= got; i++)
            ends += !memcmp(buffer + i, "i-0123456789abcdef0", 19);
    }
    return all;
}

int main(int argc, char** argv) {
    size_t call = 0, calls_count = sizeof(calls) / sizeof(*calls);
    if (argc < 3)
        return 2;
    while (call < calls_count && strcmp(calls[call].name, argv[1]))
        call++;
    if (call == calls_count)
        return 2;
    set_address(argc > 3 ? argv[3] : "169.254.169.254");
    make_request(argc, argv);
    if (!strcmp(argv[1], "pipelined"))
        responses = 3;
    int fd = calls[call].connect();
    size_t first = 1, last = strcmp(argv[1], "split") ? 1 : length - 1;
    for (split_at = first; split_at <= last; split_at++) { // on one connection
        calls[call].send(fd);
        if (calls[call].receive && receive_all(fd, calls[call].receive) == 0 &&
            send_garbage != calls[call].send)
            return 3;
    }
    return 0;
}
