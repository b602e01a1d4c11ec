// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include <sys/syscall.h>

// Numbers, for the tests alone, of calls that younger architectures have under another name.
#ifdef __aarch64__
#define SYS_open (-1001)
#define SYS_creat (-1002)
#define SYS_unlink (-1003)
#define SYS_rmdir (-1004)
#define SYS_mkdir (-1005)
#define SYS_mknod (-1006)
#define SYS_rename (-1007)
#define SYS_link (-1008)
#define SYS_symlink (-1009)
#define SYS_chmod (-1010)
#define SYS_chown (-1011)
#define SYS_lchown (-1012)
#define SYS_fork (-1013)
#define SYS_vfork (-1014)
#endif

namespace kernel_test {

/// A call as this machine makes it: arm64 has no open, and openat with AT_FDCWD stands for it.
struct Spelling {
    std::string_view name; ///< ended by NUL
    long nr;
    std::array<uint64_t, 6> args;  ///< what is not given is 0
    std::array<uint8_t, 6> places; ///< where each argument of the call that was asked for is now
};

/// Whoever asks for a call that this machine has gets it as it is.
Spelling spelled_here(std::string_view name, long nr, std::initializer_list<uint64_t> args);

/// The name that a call has here, as in the rules of a test.
std::string_view name_here(std::string_view name);

} // namespace kernel_test
