// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace telemetry {

/// Closes all files of this process but one.
void close_others(int kept);

/// Of its address space. 0: not known.
uint64_t mapped_bytes();

/// Gives up, for good, what a keeper of helpers does not need: capabilities, being traced, files to write,
/// and system calls that neither it nor a helper makes. False: the kernel refuses. On a kernel without
/// seccomp filters all calls stay.
bool confine_keeper();

/// What remains are calls on memory, on sockets and files that it has, and the end; `most_mapped` bounds its
/// address space.
bool confine_helper(uint64_t most_mapped);

} // namespace telemetry
