// SPDX-License-Identifier: MIT
#pragma once
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// Does this machine take the calls of 32-bit programs, and so run these? Kernels can be built, or booted,
/// without them, and some hypervisors have none.
inline bool takes_32_bit_calls() {
#ifdef __x86_64__
    static const bool takes = [] {
        const pid_t child = fork();
        if (child == 0) { // where they are not taken it is killed
            const rlimit none{0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(SIGSEGV, SIG_DFL); // sanitizers would tell of it
            constexpr int i386_getpid = 20;
            int result = 0;
            asm volatile("int $0x80" : "=a"(result) : "a"(i386_getpid) : "r8", "r9", "r10", "r11", "memory");
            _exit(result > 0 ? 0 : 1);
        }
        int status = 0;
        return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
               WEXITSTATUS(status) == 0;
    }();
    return takes;
#else
    return true;
#endif
}

/// What is said of a test that needs them.
inline constexpr const char* no_32_bit_calls = "this machine does not take calls of 32-bit programs";
