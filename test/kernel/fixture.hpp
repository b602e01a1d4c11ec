// SPDX-License-Identifier: MIT
#pragma once
#include <vector>

#include "session.hpp"

namespace kernel_test {

/// One test for each tier and case, and those on a session as a whole.
void register_tests(const std::vector<ebpf_loader::Tier>& tiers);

/// The tiers that are tested.
const std::vector<ebpf_loader::Tier>& tested_tiers();

/// The session of a tier. All cases whose tests are to run do so when it is first asked for.
const Session& session_of(ebpf_loader::Tier tier);

/// Prints which calls this kernel lacks and what else could not be tried.
void report_skipped();

} // namespace kernel_test
