// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>

namespace ebpf_loader {

/// Where the kernel keeps the saved registers above task_struct.stack (see
/// machine::usual_thread_registers), measured with a program of a dozen instructions
/// (stacks are larger with KASAN, and FRED leaves room above). nullopt where raw
/// tracepoints cannot be used. `stack`: offset of task_struct.stack.
std::optional<uint32_t> measure_thread_registers(uint32_t stack);

} // namespace ebpf_loader
