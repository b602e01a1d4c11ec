// SPDX-License-Identifier: MIT
// Asks a metadata service by functions whose names a stack has to tell.
//
//   stack_client HOW       HOW: plain, deleted, thread, jit, library
//
// Uses the C library alone, so that it is built for 32 bits too.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __clang__ // which clones no functions
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noinline, noclone))
#endif

namespace ours {

int by_library(int (*function)(int), int value);

namespace {

void check(bool holds, const char* what) {
    if (holds)
        return;
    perror(what);
    exit(1);
}

} // namespace

KEPT int send_request(int fd) {
    const char request[] = "GET /latest/meta-data/instance-id HTTP/1.0\r\nUser-Agent: stack\r\n\r\n";
    const long sent = send(fd, request, sizeof request - 1, 0);
    check(sent == static_cast<long>(sizeof request - 1), "send");
    return fd;
}

KEPT int ask(int fd) {
    const int same = send_request(fd);
    char answer[4096];
    long got, all = 0;
    while ((got = recv(same, answer, sizeof answer, 0)) > 0)
        all += got;
    check(all > 0, "recv");
    return 0;
}

KEPT int connect_to_service() {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(80);
    inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "connect");
    return fd;
}

namespace {

void* run_thread(void* fd) {
    ask(*static_cast<int*>(fd));
    return nullptr;
}

void by_thread(int fd) {
    pthread_t thread;
    check(pthread_create(&thread, nullptr, run_thread, &fd) == 0, "pthread_create");
    pthread_join(thread, nullptr);
}

/// Machine code without a table: only its frame pointer tells who called it.
KEPT int by_made_code(int fd) {
#ifdef __LP64__
#ifdef __x86_64__
    // push %rbp; mov %rsp,%rbp; mov %rdi,%rax; mov %esi,%edi; call *%rax; pop %rbp; ret
    const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8,
                                  0x89, 0xf7, 0xff, 0xd0, 0x5d, 0xc3};
#else
    // stp x29,x30,[sp,#-48]!; mov x29,sp; mov x9,x0; mov w0,w1; blr x9; ldp x29,x30,[sp],#48; ret
    const unsigned code[] = {0xa9bd7bfd, 0x910003fd, 0xaa0003e9, 0x2a0103e0,
                             0xd63f0120, 0xa8c37bfd, 0xd65f03c0};
#endif
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED, "mmap");
    memcpy(page, code, sizeof code);
    __builtin___clear_cache(static_cast<char*>(page), static_cast<char*>(page) + sizeof code);
    const int result = reinterpret_cast<int (*)(int (*)(int), int)>(page)(ask, fd);
    __asm__ volatile("");
    return result;
#else
    return ask(fd);
#endif
}

} // namespace
} // namespace ours

int main(int argc, char** argv) {
    const char* const how = argc == 2 ? argv[1] : "";
    if (!strcmp(how, "deleted"))
        ours::check(unlink(argv[0]) == 0, "unlink");
    const int fd = ours::connect_to_service();
    if (!strcmp(how, "thread"))
        ours::by_thread(fd);
    else if (!strcmp(how, "jit"))
        ours::by_made_code(fd);
#ifdef HAS_LIBRARY
    else if (!strcmp(how, "library"))
        ours::by_library(ours::ask, fd);
#endif
    else
        ours::ask(fd);
    usleep(getenv("EBT_SLOW") ? 2000000 : 200000); // names are looked up while a process is there
    return 0;
}
