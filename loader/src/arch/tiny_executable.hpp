// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace ebpf_loader {

/// A static ELF program of one segment, 120 bytes and the code: something to execute that
/// needs nothing of the file system. The code starts with argc at the top of its stack.
std::vector<uint8_t> tiny_executable(std::span<const uint8_t> code);

} // namespace ebpf_loader
