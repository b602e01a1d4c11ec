/* SPDX-License-Identifier: MIT */
/* Calls that a seccomp filter answers in the kernel's place. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int install(int nr, unsigned action, unsigned flags) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void on_trap(int signal) {
    (void)signal;
}

static struct sockaddr_in address;
static char* const arguments[] = {"x", NULL};

static void make_calls(unsigned action) {
    install(SYS_openat, action, 0);
    syscall(SYS_openat, AT_FDCWD, "/etc/ebt_seccomp", O_RDWR, 0);
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    install(SYS_connect, action, 0);
    connect(s, (void*)&address, sizeof(address));
    install(SYS_execve, action, 0);
    syscall(SYS_execve, "/bin/true", arguments, NULL);
    chmod("/etc/ebt_no_such_file", 0644); /* runs, and fails */
    mkdir("/etc/ebt_seccomp_ran", 0755);  /* runs, and succeeds */
    rmdir("/etc/ebt_seccomp_ran");
}

static int listener;
static void* supervise(void* unused) {
    (void)unused;
    struct seccomp_notif request;
    struct seccomp_notif_resp response;
    memset(&request, 0, sizeof(request));
    memset(&response, 0, sizeof(response));
    ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request);
    response.id = request.id;
    response.val = 77;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    return NULL;
}

int main(int count, char** argument) {
    address.sin_family = AF_INET;
    address.sin_port = htons(4444);
    inet_pton(AF_INET, "203.0.113.9", &address.sin_addr);
    if (count < 2)
        return 1;
    /* A process with a filter, before the program starts: see README.md. */
    if (!strcmp(argument[1], "linger")) {
        install(SYS_sethostname, SECCOMP_RET_ERRNO | EPERM, 0);
        for (;;)
            pause();
    }
    if (!strcmp(argument[1], "errno"))
        make_calls(SECCOMP_RET_ERRNO | 0);
    if (!strcmp(argument[1], "eperm"))
        make_calls(SECCOMP_RET_ERRNO | EPERM);
    if (!strcmp(argument[1], "trap")) {
        signal(SIGSYS, on_trap);
        make_calls(SECCOMP_RET_TRAP);
    }
    if (!strcmp(argument[1], "kill")) { /* its memory is there to be read, whichever page it is in */
        char path[] = "/etc/ebt_killed";
        install(SYS_openat, SECCOMP_RET_KILL_PROCESS, 0);
        if (!fork()) {
            syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
            _exit(1);
        }
        wait(NULL);
    }
    if (!strcmp(argument[1], "notif")) {
        pthread_t thread;
        listener = install(SYS_openat, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        pthread_create(&thread, NULL, supervise, NULL);
        syscall(SYS_openat, AT_FDCWD, "/etc/ebt_notified", O_RDWR, 0);
        _exit(0);
    }
    return 0;
}
