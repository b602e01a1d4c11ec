// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>

namespace ebpf_loader {

/// Where x86-64 keeps the saved registers above task_struct.stack, unless it is built
/// otherwise: the end of a 16 KiB stack less sizeof(struct pt_regs).
inline constexpr uint32_t usual_thread_registers = 16384 - 168;

/// The same, measured on the running kernel with a program of a dozen instructions
/// (stacks are larger with KASAN, and FRED leaves room above). nullopt where raw
/// tracepoints cannot be used. `stack`: offset of task_struct.stack.
std::optional<uint32_t> measure_thread_registers(uint32_t stack);

} // namespace ebpf_loader
