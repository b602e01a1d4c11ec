// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ebpf_loader::machine {

/// The number of dup3, which the self-check calls through both ABIs, in that of int 0x80.
inline constexpr uint32_t compat_dup3 = 330;
/// The bit of task_struct.status while a task is in a call of the compat ABI: TS_COMPAT.
inline constexpr uint32_t compat_status = 2;
/// Where that is, if it is the same on every kernel.
inline constexpr std::optional<uint32_t> status_offset = std::nullopt;

/// Where the kernel keeps the saved registers above task_struct.stack, unless it is built
/// otherwise: the end of a 16 KiB stack less sizeof(struct pt_regs).
inline constexpr uint32_t usual_thread_registers = 16384 - 168;

/// The tracepoint of page faults that the kernel itself meets.
inline constexpr const char* kernel_page_fault = "exceptions/page_fault_kernel";

inline constexpr uint16_t elf_machine = 62; ///< EM_X86_64
inline constexpr uint64_t largest_page = 4096;

/// Can this be the address of something allocated? Neither user memory nor the kernel's
/// image, whose objects are not ours, nor an error code.
constexpr bool is_heap_pointer(uint64_t value) {
    constexpr uint64_t lowest = 0xff00'0000'0000'0000;     // of a kernel with five-level page tables
    constexpr uint64_t image_base = 0xffff'ffff'8000'0000; // text, data and modules
    return value >= lowest && value < image_base && value % 8 == 0;
}

/// The same, or an address in the kernel's image, where what exists once is.
constexpr bool is_kernel_pointer(uint64_t value) {
    constexpr uint64_t lowest = 0xff00'0000'0000'0000, errors = 0xffff'ffff'ffff'f000;
    return value >= lowest && value < errors && value % 8 == 0;
}

/// Kernels from 5.0 to 5.10 complain, once, of a read at what can be no address at all: in the
/// gap between user memory and the kernel's, whose size any address of a task_struct shows.
constexpr bool can_be_address(uint64_t value, uint64_t task) {
    constexpr uint64_t with_four_levels = 0xffff'8000'0000'0000, with_five = 0xff00'0000'0000'0000;
    const uint64_t lowest = task >= with_four_levels ? with_four_levels : with_five;
    return value >= lowest || value < ~lowest;
}

} // namespace ebpf_loader::machine
