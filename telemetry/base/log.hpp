// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <optional>
#include <string_view>

namespace telemetry {

/// The levels of the program's own diagnostics, which are written to standard error and never among the
/// events.
enum class LogLevel { trace, debug, info, warning, error, fatal };

std::optional<LogLevel> parse_log_level(std::string_view name);

/// Takes whole lines. Must not wait for who reads them.
using LogWriter = std::function<void(std::string_view)>;

/// To be called before the first log(); a second call replaces the first. `silent`: nothing is logged,
/// whatever its level.
void start_log(LogLevel least, bool silent, std::string_view program, LogWriter writer);

/// Which are logged from now on.
void set_log_level(LogLevel least);

void log(LogLevel level, std::string_view line);

} // namespace telemetry
