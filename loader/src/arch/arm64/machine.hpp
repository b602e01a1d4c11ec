// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ebpf_loader::machine {

/// The number of dup3, which the self-check calls through both ABIs, in that of arm.
inline constexpr uint32_t compat_dup3 = 358;
/// The bit of task_struct.status while a task is one of 32-bit code: TIF_32BIT.
inline constexpr uint32_t compat_status = 1 << 22;
/// Where that is: since 4.10 every task_struct begins with its thread_info, and that with the
/// flags. No 64-bit program could show it, as none makes calls of 32-bit ones.
inline constexpr std::optional<uint32_t> status_offset = 0;

/// Where the kernel keeps the saved registers above task_struct.stack, unless it is built
/// otherwise: the end of a 16 KiB stack less sizeof(struct pt_regs).
inline constexpr uint32_t usual_thread_registers = 16384 - 336;

/// The tracepoint of page faults that the kernel itself meets: arm64 has none.
inline constexpr const char* kernel_page_fault = "exceptions/page_fault_kernel";

inline constexpr uint16_t elf_machine = 183; ///< EM_AARCH64
inline constexpr uint64_t largest_page = 65536;

/// Can this be the address of something allocated? In the linear map, which begins at the
/// lowest address that the kernel has, 52 bits wide at most, or in vmalloc, where stacks are.
constexpr bool is_heap_pointer(uint64_t value) {
    constexpr uint64_t lowest = 0xfff0'0000'0000'0000, errors = 0xffff'ffff'ffff'f000;
    return value >= lowest && value < errors && value % 8 == 0;
}

/// The same, or an address in the kernel's image, where what exists once is.
constexpr bool is_kernel_pointer(uint64_t value) {
    return is_heap_pointer(value);
}

/// Is an address below or above the gap between user memory and the kernel's?
constexpr bool can_be_address(uint64_t value, uint64_t) {
    constexpr uint64_t lowest = 0xfff0'0000'0000'0000;
    return value >= lowest || value < ~lowest;
}

} // namespace ebpf_loader::machine
