// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "loader/src/arch/raw_syscall.hpp" // the loader's

namespace kernel_test {

using ebpf_loader::raw_syscall;

#ifdef __x86_64__

/// The 32-bit interface, from 64-bit code, with whole registers: the kernel takes their lower halves.
inline long raw_int80_wide(long nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0,
                           uint64_t e = 0) {
    int32_t ret;
    asm volatile("int $0x80"
                 : "=a"(ret)
                 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                 : "r8", "r9", "r10", "r11", "memory");
    return ret;
}

/// The same: arguments are cut to 32 bits.
inline long raw_int80(long nr, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0, uint32_t d = 0,
                      uint32_t e = 0) {
    return raw_int80_wide(nr, a, b, c, d, e);
}

#endif

} // namespace kernel_test
