// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "test/kernel/session.hpp"

namespace kernel_test {

/// Two runs of one case, event by event, with names in place of what differs from run to
/// run: process ids, addresses, descriptors, inode numbers, ports that the kernel chose.
/// Tells the first difference; empty when there is none.
std::string first_difference(const CaseRun& a, const CaseRun& b);

} // namespace kernel_test
