// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>

namespace telemetry::run_end {

/// The run ends within a second of when it has to, whatever is still to be done by then. This is what reading
/// the buffers may take of it, and how much of that may be spent waiting for outputs. The rest is for
/// detaching and for the summary.
constexpr std::chrono::milliseconds grace{700};
constexpr std::chrono::milliseconds waiting{300};

/// When the run has to end, by --duration. Without it, only SIGINT and SIGTERM ask for the end.
void set(std::chrono::steady_clock::time_point end);

/// How long something may be waited for at most, of the usual time: once the run has to end, what is left of
/// `waiting`, for all who wait together.
std::chrono::milliseconds at_most(std::chrono::milliseconds usual);

/// The grace is over: what is left to do is not done any more.
bool is_over();

} // namespace telemetry::run_end
