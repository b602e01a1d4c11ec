// SPDX-License-Identifier: MIT
#pragma once
#include "test/bench/subjects.hpp"

namespace bench {

/// auditd with rules like ours. Absent where the host itself uses the kernel's audit.
Candidate audit_candidate(const Settings& settings);

} // namespace bench
