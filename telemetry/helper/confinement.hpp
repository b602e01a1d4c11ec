// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "telemetry/helper/helper.hpp"

namespace telemetry {

/// Closes all files of this process but one.
void close_others(int kept);

/// Of its address space. 0: not known.
uint64_t mapped_bytes();

/// Gives up, for good, what a keeper of helpers does not need: capabilities, being traced, files to write,
/// and system calls that neither it nor a helper makes. False: the kernel refuses. On a kernel without
/// seccomp filters all calls stay. Who reaches name servers becomes the user nobody besides, where CAP_SETUID
/// and CAP_SETGID allow it.
bool confine_keeper(Reach reach);

/// What remains are calls on memory, on sockets and files that it has, and the end; `most_mapped` bounds its
/// address space. Who reaches name servers also makes sockets and opens files for reading.
bool confine_helper(uint64_t most_mapped, Reach reach);

} // namespace telemetry
