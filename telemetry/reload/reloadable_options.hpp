// SPDX-License-Identifier: MIT
#pragma once
#include <span>
#include <string_view>

#include "telemetry/cli/options.hpp"

namespace telemetry {

/// `now` with what of `read` can come into force during a run, of every program: log level, and limits that
/// were given at the start.
Options with_reloadable(Options now, const Options& read);

/// Logs those that differ and do not come into force. `more`: names of options that do, besides those above.
void log_changed_options(const Options& now, const Options& next, std::span<const std::string_view> more);

} // namespace telemetry
