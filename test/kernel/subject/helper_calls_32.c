/* SPDX-License-Identifier: MIT */
/* The calls of a 32-bit program, of i386 or arm: those that only it has, and those behind socketcall. */
#define _GNU_SOURCE
#include "test/kernel/subject/helper_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(__i386__) && !defined(__arm__)
void helper_calls(struct helper* h) {
    log_failure(h->log, "these calls are for a 32-bit program");
}
#else

#define ARGS(...) (&(const unsigned long[6]){__VA_ARGS__})
#define ADDRESS(pointer) ((unsigned long)(pointer))

static const unsigned long no_file = 0xffffffff;

static int open_file(struct helper* h, const char* name) {
    struct log_entry* entry = helper_call(h, "open", SYS_open, ARGS(ADDRESS(name), O_CREAT | O_RDWR, 0600));
    helper_file(h, helper_expect(h, entry, 0), 0, (int)entry->ret, helper_at(h, name));
    return (int)entry->ret;
}

static void files(struct helper* h) {
    const unsigned long cwd = (unsigned long)AT_FDCWD;
    const int file = open_file(h, "file");
    struct log_entry* entry = helper_call(h, "openat", SYS_openat, ARGS(cwd, ADDRESS("no"), O_RDONLY));
    helper_named(h, helper_expect(h, entry, -ENOENT), 1, helper_at(h, "no"));
    entry = helper_call(h, "truncate64", SYS_truncate64, ARGS(ADDRESS("file"), 100, 0));
    helper_named(h, helper_expect(h, entry, 0), 0, helper_at(h, "file"));
    entry = helper_call(h, "truncate64", SYS_truncate64, ARGS(ADDRESS("no"), 100, 0));
    helper_named(h, helper_expect(h, entry, -ENOENT), 0, helper_at(h, "no"));
    entry = helper_call(h, "ftruncate64", SYS_ftruncate64, ARGS((unsigned long)file, 50, 0));
    helper_file(h, helper_expect(h, entry, 0), 0, file, helper_at(h, "file"));
    entry = helper_call(h, "chown32", SYS_chown32, ARGS(ADDRESS("file"), 100000, 200000));
    helper_named(h, helper_expect(h, entry, 0), 0, helper_at(h, "file"));
    entry = helper_call(h, "lchown32", SYS_lchown32, ARGS(ADDRESS("no"), 1, 2));
    helper_named(h, helper_expect(h, entry, -ENOENT), 0, helper_at(h, "no"));
    entry = helper_call(h, "fchown32", SYS_fchown32, ARGS((unsigned long)file, 100001, no_file));
    helper_file(h, helper_expect(h, entry, 0), 0, file, helper_at(h, "file"));
    entry = helper_call(h, "utimensat_time64", 412, ARGS(cwd, ADDRESS("file"), 0, 0));
    helper_named(h, helper_expect(h, entry, 0), 1, helper_at(h, "file"));
    const int32_t times[4] = {1, 2, 3, 4}; // each 32 bits wide here
    entry = helper_call(h, "utimensat", SYS_utimensat, ARGS(cwd, ADDRESS("file"), ADDRESS(times), 0));
    helper_named(h, helper_expect(h, entry, 0), 1, helper_at(h, "file"));
    struct log_text* text = &entry->string[entry->strings++];
    *text = log_bytes(h->log, (const char*)times, sizeof times);
    text->argument = 2;
    text->source = LOG_USER_MEMORY;
#ifdef __i386__
    entry = helper_call(h, "umount", SYS_umount, ARGS(ADDRESS("no")));
    helper_named(h, helper_expect(h, entry, -ENOENT), 0, helper_at(h, "no"));
#endif
    entry = helper_call(h, "rename", SYS_rename, ARGS(ADDRESS("file"), ADDRESS("other")));
    helper_named(h, helper_expect(h, entry, 0), 0, helper_at(h, "file"));
    helper_named(h, entry, 1, helper_at(h, "other"));
}

static struct log_entry* without_file(struct log_entry* entry, int argument) {
    struct log_text* text = &entry->path[entry->paths++].text;
    text->status = LOG_UNAVAILABLE;
    text->argument = (uint8_t)argument;
    return entry;
}

static void memory(struct helper* h) {
    const unsigned long all = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    without_file(
        helper_expect(h, helper_call(h, "mmap2", SYS_mmap2, ARGS(0, 4096, all, flags, no_file, 0)), 0), 4);
#ifdef __i386__
    static unsigned long packed[6] = {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0xffffffff, 0};
    helper_expect(h, helper_call(h, "old_mmap", SYS_mmap, ARGS(ADDRESS(packed))), 0);
    helper_expect(h, helper_call(h, "old_mmap", SYS_mmap, ARGS(16)), -EFAULT);
#endif
}

/* None of these can succeed. */
static void clocks(struct helper* h) {
#ifdef __i386__
    helper_expect(h, helper_call(h, "stime", SYS_stime, ARGS(16)), -EFAULT);
#endif
    helper_expect(h, helper_call(h, "clock_settime64", 404, ARGS(0, 16)), -EFAULT);
    helper_expect(h, helper_call(h, "clock_adjtime64", 405, ARGS(0, 16)), -EFAULT);
}

/* One of the calls behind socketcall, which arm does not have: the event is of the call that it stands for.
 */
static struct log_entry* socket_call(struct helper* h, int which, const char* name, int nr,
                                     const unsigned long (*args)[6]) {
#ifdef __i386__
    struct log_entry* entry = log_new(h->log, h->identity, LOG_SYSCALL, name, "helper_calls_32.c");
    entry->nr = nr;
    for (int i = 0; i < 6; i++)
        entry->args[i] = (*args)[i];
    const long ret = syscall(SYS_socketcall, which, *args, 0, 0, 0, 0);
    entry->ret = ret == -1 ? -errno : ret;
    entry->after_ns = log_now();
    return entry;
#else
    (void)which;
    return helper_call(h, name, nr, args);
#endif
}

static void expect_socket(struct log_entry* entry, int type, int protocol, int local, int remote) {
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    entry->socket_status = LOG_OK;
    entry->socket_family = AF_INET;
    entry->socket_type = (uint8_t)type;
    entry->socket_protocol = (uint8_t)protocol;
    entry->local_port = (uint16_t)local;
    entry->remote_port = (uint16_t)remote;
    if (local)
        memcpy(entry->local, loopback, sizeof loopback);
    if (remote)
        memcpy(entry->remote, loopback, sizeof loopback);
}

static void expect_address(struct helper* h, struct log_entry* entry, int argument,
                           const struct sockaddr_in* address) {
    entry->sockaddr = log_bytes(h->log, address, sizeof *address);
    entry->sockaddr.source = LOG_USER_MEMORY;
    entry->sockaddr.argument = (uint8_t)argument;
}

static uint16_t local_port(int fd) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    /* By its own number, which no rule of the tests selects for i386. */
    return getsockname(fd, (struct sockaddr*)&address, &length) == 0 ? ntohs(address.sin_port) : 0;
}

static void sockets(struct helper* h) {
    struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
    const unsigned long size = sizeof address;
    struct log_entry* entry = socket_call(h, SYS_SOCKET, "socket", SYS_socket, ARGS(AF_INET, SOCK_DGRAM, 0));
    const int fd = (int)helper_expect(h, entry, 0)->ret;
    expect_socket(entry, SOCK_DGRAM, IPPROTO_UDP, 0, 0);
    entry = socket_call(h, SYS_BIND, "bind", SYS_bind, ARGS((unsigned long)fd, ADDRESS(&address), size));
    const int port = local_port(fd);
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, 0);
    expect_address(h, entry, 1, &address);
    struct sockaddr_in self = address;
    self.sin_port = htons((uint16_t)port);
    /* It sends to itself. */
    entry = socket_call(h, SYS_SENDTO, "sendto", SYS_sendto,
                        ARGS((unsigned long)fd, ADDRESS("text"), 4, 0, ADDRESS(&self), size));
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, 0);
    expect_address(h, entry, 4, &self);
    entry =
        socket_call(h, SYS_CONNECT, "connect", SYS_connect, ARGS((unsigned long)fd, ADDRESS(&self), size));
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, port);
    expect_address(h, entry, 1, &self);
    /* i386 has no send of its own, it is sendto without an address. */
    entry = socket_call(h, SYS_SEND, "sendto", SYS_sendto, ARGS((unsigned long)fd, ADDRESS("text"), 4, 0));
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, port);
    entry = socket_call(h, SYS_CONNECT, "connect", SYS_connect, ARGS(500, ADDRESS(&self), size));
    helper_expect(h, entry, -EBADF)->socket_status = LOG_UNAVAILABLE;
    expect_address(h, entry, 1, &self);
    struct msghdr message = {.msg_name = &self, .msg_namelen = sizeof self};
    entry =
        socket_call(h, SYS_SENDMSG, "sendmsg", SYS_sendmsg, ARGS((unsigned long)fd, ADDRESS(&message), 0));
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, port);
    expect_address(h, entry, 1, &self);
    /* Control messages of 32 bits: a length, level and type as wide as an int. */
    int pair[2];
    helper_expect(h,
                  socket_call(h, SYS_SOCKETPAIR, "socketpair", SYS_socketpair,
                              ARGS(AF_UNIX, SOCK_DGRAM, 0, ADDRESS(pair))),
                  0);
    const int passed[3] = {fd, fd, fd};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof passed)];
    } control = {
        .head = {.cmsg_len = CMSG_LEN(sizeof passed), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.head), passed, sizeof passed);
    struct msghdr passing = {.msg_control = &control, .msg_controllen = sizeof control};
    entry = socket_call(h, SYS_SENDMSG, "sendmsg", SYS_sendmsg,
                        ARGS((unsigned long)pair[0], ADDRESS(&passing), 0));
    helper_expect(h, entry, 0)->socket_status = LOG_OK;
    entry->socket_family = AF_UNIX;
    entry->socket_type = SOCK_DGRAM;
    entry->passed = log_bytes(h->log, passed, sizeof passed);
    entry->passed.source = LOG_USER_MEMORY;
    /* The same call by its own number. */
    entry = helper_call(h, "connect", SYS_connect, ARGS((unsigned long)fd, ADDRESS(&self), size));
    expect_socket(helper_expect(h, entry, 0), SOCK_DGRAM, IPPROTO_UDP, port, port);
    expect_address(h, entry, 1, &self);
}

static struct helper* handler_helper;

/* The handler was entered without SA_SIGINFO: it leaves by sigreturn. */
static void handle(int signal) {
    (void)signal;
    struct helper* h = handler_helper;
    struct log_entry* entry = log_new(h->log, h->identity, LOG_SYSCALL, "sigreturn", "helper_calls_32.c");
    entry->nr = SYS_sigreturn;
    entry->returns = 0;
    entry->any = LOG_ANY_ARGS;
}

static void signals(struct helper* h) {
    struct sigaction action = {.sa_handler = handle};
    handler_helper = h;
    sigaction(SIGUSR1, &action, NULL);
    struct log_identity* who = &h->log->identity[h->identity];
    helper_expect(h, helper_call(h, "tgkill", SYS_tgkill, ARGS(who->pid, who->tid, SIGUSR1)), 0);
}

/* Groups first, then users; the last call gives up root. */
static void identities(struct helper* h) {
    struct log_entry* entry = helper_call(h, "setgroups32", SYS_setgroups32, ARGS(0, 0));
    helper_expect(h, entry, 0);
    entry = helper_call(h, "setgid32", SYS_setgid32, ARGS(100012));
    struct log_identity* who = helper_change(h);
    who->gid = who->egid = who->sgid = who->fsgid = 100012;
    helper_expect(h, entry, 0)->identity = h->identity;
    entry = helper_call(h, "setregid32", SYS_setregid32, ARGS(100013, 100014));
    who = helper_change(h);
    who->gid = 100013;
    who->egid = who->sgid = who->fsgid = 100014;
    helper_expect(h, entry, 0)->identity = h->identity;
    entry = helper_call(h, "setresgid32", SYS_setresgid32, ARGS(100015, 100016, 100017));
    who = helper_change(h);
    who->gid = 100015;
    who->egid = who->fsgid = 100016;
    who->sgid = 100017;
    helper_expect(h, entry, 0)->identity = h->identity;
    entry = helper_call(h, "setreuid32", SYS_setreuid32, ARGS(100018, 0));
    who = helper_change(h);
    who->uid = 100018;
    helper_expect(h, entry, 0)->identity = h->identity;
    entry = helper_call(h, "setresuid32", SYS_setresuid32, ARGS(100019, 0, 100020));
    who = helper_change(h);
    who->uid = 100019;
    who->suid = 100020;
    helper_expect(h, entry, 0)->identity = h->identity;
    entry = helper_call(h, "setuid32", SYS_setuid32, ARGS(100021));
    who = helper_change(h);
    who->uid = who->euid = who->suid = who->fsuid = 100021;
    helper_expect(h, entry, 0)->identity = h->identity;
    helper_expect(h, helper_call(h, "setuid32", SYS_setuid32, ARGS(0)), -EPERM);
}

static void exec_fails(struct helper* h) {
    static const char* const argv[] = {"one", "two", NULL};
    struct log_entry* entry =
        helper_call(h, "execve", SYS_execve, ARGS(ADDRESS("/no/such"), ADDRESS(argv), 0));
    helper_named(h, helper_expect(h, entry, -ENOENT), 0, "/no/such");
    entry->exec_argv = log_bytes(h->log, "one\0two", 8);
    entry->exec_argv.source = LOG_USER_MEMORY;
}

void helper_calls(struct helper* h) {
    files(h);
    memory(h);
    clocks(h);
    sockets(h);
    signals(h);
    exec_fails(h);
    identities(h);
}

#endif
