// SPDX-License-Identifier: MIT
#pragma once

#include <ebpf_loader/syscalls.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

/// The row of a call that the test names; throws std::runtime_error where there is none.
inline const ebpf_loader::SyscallRow& call(std::string_view name) {
    const ebpf_loader::SyscallRow* row = ebpf_loader::find_syscall(name);
    if (!row)
        throw std::runtime_error("no row for " + std::string(name));
    return *row;
}

/// The number by which 64-bit programs of this machine make it; throws where they cannot.
inline int native_number(std::string_view name) {
    const int number = call(name).number[EBT_NATIVE_ABI];
    if (number < 0)
        throw std::runtime_error("no number of " + std::string(name));
    return number;
}
