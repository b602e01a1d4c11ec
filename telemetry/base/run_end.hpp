// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>

namespace telemetry::run_end {

/// The run ends within a second of when it has to, whatever is still to be done by then. Reading the buffers
/// may take `grace` of it and then `last_reading`, and of the grace `waiting` may be spent waiting for
/// outputs. The rest is for detaching and for the summary.
constexpr std::chrono::milliseconds grace{600};
constexpr std::chrono::milliseconds waiting{300};
/// From when the grace is found to be over: a machine that gave the program no CPU may have used it up, and
/// the few records of an idle run are not to be lost by that.
constexpr std::chrono::milliseconds last_reading{100};

/// When the run has to end, by --duration. Without it, only SIGINT and SIGTERM ask for the end.
void set(std::chrono::steady_clock::time_point end);

/// How long something may be waited for at most, of the usual time: once the run has to end, what is left of
/// `waiting`, for all who wait together.
std::chrono::milliseconds at_most(std::chrono::milliseconds usual);

/// The grace is over, and so is the last reading: what is left in the buffers is not read any more. Asked by
/// the thread that reads.
bool is_over();
/// The hooks are detached, which may have taken the last reading as well: it begins anew, for what they wrote
/// meanwhile.
void renew_last_reading();

} // namespace telemetry::run_end
