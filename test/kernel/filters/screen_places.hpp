// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

namespace kernel_test {

/// Makes the same calls each time, in places whose paths are more than what a record has of them: deep,
/// removed and detached folders, mounts, behind chroot. Each has a number of its own, from `number` on, in a
/// register that the kernel does not read: the sixth argument's, and of calls as 32-bit programs make them,
/// where the machine takes any, the fifth's, which has the number's lower half. None changes anything: they
/// open for reading, ask and go, as a user without rights, `user`. For a process of root's that has nothing
/// else to do; the folder is its own. Returns whether all places could be made.
bool call_in_odd_places(const std::string& folder, uint32_t user, uint64_t number);
/// The same calls in a folder that an overlay shows.
bool call_on_an_overlay(const std::string& folder, uint32_t user, uint64_t number);
/// Has the kernel overlays? Tried in an empty folder; any other fault than that it has none is the call's
/// above.
bool can_overlay(const std::string& folder);

} // namespace kernel_test
