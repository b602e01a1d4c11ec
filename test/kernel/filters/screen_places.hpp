// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

namespace kernel_test {

/// Makes the same calls each time, in places whose paths are more than what a record has of them: deep,
/// removed and detached folders, mounts, behind chroot. Each has a number of its own, from `number` on, in a
/// register that the kernel does not read. None changes anything: they open for reading, ask and go, as a
/// user without rights, `user`. For a process of root's that has nothing else to do; the folder is its own.
/// Returns whether all places could be made.
bool call_in_odd_places(const std::string& folder, uint32_t user, uint64_t number);

} // namespace kernel_test
