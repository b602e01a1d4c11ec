// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace ebpf_loader {

/// An operation of io_uring that does what a system call does. One that is like several calls has a row for
/// each.
struct IoUringOperation {
    uint8_t opcode; ///< IORING_OP_*
    std::string_view call;
    bool is_reported; ///< as an event of the call, where kprobes witness that call
};

std::span<const IoUringOperation> io_uring_operations();

} // namespace ebpf_loader
