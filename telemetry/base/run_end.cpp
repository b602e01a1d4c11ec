// SPDX-License-Identifier: MIT
#include "telemetry/base/run_end.hpp"

#include <algorithm>
#include <atomic>
#include <optional>

#include "telemetry/base/signals.hpp"

namespace telemetry::run_end {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::rep never = 0;

/// Read by the outputs' threads, too.
std::atomic<Clock::rep> end = never;
/// When reading stops for good: set when is_over() first finds the grace over. Used by the reading thread
/// alone.
Clock::rep last_end = never;

/// What is left of a time that begins with the end; nothing when it is not known when the run has to end.
std::optional<Clock::duration> left(Clock::duration after_end) {
    const auto now = Clock::now().time_since_epoch();
    if (signals::end_asked() && (end == never || end > now.count()))
        end =
            now.count(); // a signal that came a moment ago: none was looked for while nothing was waited for
    if (end == never)
        return std::nullopt;
    return Clock::duration(end) + after_end - now;
}

} // namespace

void set(Clock::time_point when) {
    end = when.time_since_epoch().count();
    last_end = never;
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
    if (!time || *time > Clock::duration::zero())
        return false;
    const Clock::rep now = Clock::now().time_since_epoch().count();
    if (last_end == never)
        last_end = now + Clock::duration(last_reading).count();
    return now >= last_end;
}

void renew_last_reading() {
    last_end = never;
}

} // namespace telemetry::run_end
