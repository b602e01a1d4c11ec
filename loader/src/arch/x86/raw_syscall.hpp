// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>

namespace ebpf_loader {

/// A system call without the C library: no errno, no cancellation, no cached ids, so that
/// a process made by clone(2) behind the library's back may use it. Returns -errno.
inline int64_t raw_syscall(int64_t number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0,
                           uint64_t a4 = 0, uint64_t a5 = 0) {
    register uint64_t r10 asm("r10") = a3;
    register uint64_t r8 asm("r8") = a4;
    register uint64_t r9 asm("r9") = a5;
    int64_t result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

} // namespace ebpf_loader
