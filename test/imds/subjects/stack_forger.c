// SPDX-License-Identifier: MIT
// Connects to a metadata service again and again, with a stack that says its callers are in a file.
//
//   stack_forger FILE COUNT [toggle]       toggle: another thread changes the mapping's ends meanwhile
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { frames = 60, size = 1 << 20, page = 4096 };
static char* mapped;

struct frame {
    const void* next;
    const void* address;
};

/* The frame pointer leads through `forged`, which has to lie on the stack. */
__attribute__((noinline)) static long call(long number, long a, const void* b, long c,
                                           const struct frame* forged) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("push %%rbp\n\tmov %[forged], %%rbp\n\tsyscall\n\tpop %%rbp"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), [forged] "r"(forged)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x2 __asm__("x2") = c;
    register const void* x1 __asm__("x1") = b;
    __asm__ volatile("mov x9, x29\n\tmov x29, %[forged]\n\tsvc #0\n\tmov x29, x9"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), [forged] "r"(forged)
                     : "x9", "memory");
    return x0;
#endif
}

static void* toggle(void* unused) {
    for (;;) {
        mprotect(mapped + size - page, page, PROT_READ);
        mprotect(mapped + size - page, page, PROT_READ | PROT_EXEC);
    }
    return unused;
}

int main(int argc, char** argv) {
    struct frame forged[frames + 1];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    int file = argc > 2 ? open(argv[1], O_RDONLY) : -1;
    pthread_t thread;
    int i;

    mapped = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (file < 0 || mapped == MAP_FAILED) {
        perror("stack_forger");
        return 1;
    }
    for (i = 0; i < frames; ++i) {
        forged[i].next = &forged[i + 1];
        forged[i].address = mapped + page + i * 64;
    }
    memset(&forged[frames], 0, sizeof forged[frames]);
    if (argc > 3)
        pthread_create(&thread, NULL, toggle, NULL);
    inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
    for (i = atoi(argv[2]); i > 0; --i) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        call(SYS_connect, fd, &to, sizeof to, forged);
        close(fd);
        if (argc > 3)
            usleep(2000);
    }
    usleep(500000); /* files are looked at while a process is there */
    return 0;
}
