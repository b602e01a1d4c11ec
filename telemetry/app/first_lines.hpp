// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>

#include "telemetry/cli/options.hpp"

namespace telemetry {

/// What a person at a terminal is told when a run begins, in three lines: what is reported, where to, and how
/// to narrow it. Empty where nobody looks.
std::string first_lines(const Options& options, size_t rules);

} // namespace telemetry
