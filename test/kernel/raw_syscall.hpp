// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace kernel_test {

/// Makes a system call with all six argument registers set: a result, or a negative
/// errno. Threads of a test share one errno, so nothing here touches it.
inline long raw_syscall(long nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0,
                        uint64_t e = 0, uint64_t f = 0) {
    register uint64_t r10 asm("r10") = d;
    register uint64_t r8 asm("r8") = e;
    register uint64_t r9 asm("r9") = f;
    long ret;
    asm volatile("syscall"
                 : "=a"(ret)
                 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return ret;
}

/// The 32-bit interface, from 64-bit code: arguments are cut to 32 bits.
inline long raw_int80(long nr, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t d = 0,
                      uint32_t e = 0) {
    int32_t ret;
    asm volatile("int $0x80"
                 : "=a"(ret)
                 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                 : "r8", "r9", "r10", "r11", "memory");
    return ret;
}

} // namespace kernel_test
