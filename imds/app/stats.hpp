// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "imds/app/tracker.hpp"

namespace telemetry::imds {

/// What became of the segments: some lines, or an object on one line.
std::string tracker_stats(const ImdsTracker::Counters& counters, bool is_json);

} // namespace telemetry::imds
