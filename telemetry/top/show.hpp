// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <string>

#include "telemetry/top/feed.hpp"
#include "telemetry/top/screen.hpp"

namespace telemetry::top {

/// What is shown of which events.
struct ShowOptions {
    std::string title;
    std::string rules_file; ///< where rules stand; may be empty
    bool is_recorded = false;
};

/// Shows what the feed brings until the user ends it (true) or `is_over` is set (false).
bool show(Screen& screen, Feed& feed, const ShowOptions& options, const std::atomic<bool>& is_over);

} // namespace telemetry::top
