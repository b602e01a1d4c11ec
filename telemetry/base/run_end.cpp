// SPDX-License-Identifier: MIT
#include "telemetry/base/run_end.hpp"

#include <algorithm>
#include <optional>

#include "telemetry/base/signals.hpp"

namespace telemetry::run_end {

namespace {

using Clock = std::chrono::steady_clock;

std::optional<Clock::time_point> end;

/// What is left of a time that begins with the end; nothing when it is not known when the run has to end.
std::optional<Clock::duration> left(Clock::duration after_end) {
    const auto now = Clock::now();
    if (signals::end_asked() && (!end || *end > now))
        end = now; // a signal that came a moment ago: none was looked for while nothing was waited for
    if (!end)
        return std::nullopt;
    return *end + after_end - now;
}

} // namespace

void set(Clock::time_point when) {
    end = when;
}

std::chrono::milliseconds at_most(std::chrono::milliseconds usual) {
    const auto time = left(waiting);
    if (!time)
        return usual;
    return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*time), std::chrono::milliseconds(0),
                      usual);
}

bool is_over() {
    const auto time = left(grace);
    return time && *time <= Clock::duration::zero();
}

} // namespace telemetry::run_end
