// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string_view>

namespace telemetry {

/// The program's own diagnostics. They go to standard error, never among the events.
enum class LogLevel { trace, debug, info, warning, error, fatal };

std::optional<LogLevel> parse_log_level(std::string_view name);

/// Must come before the first line. `silent`: not a line, whatever its level.
void start_log(LogLevel least, bool silent, std::string_view program);

void log(LogLevel level, std::string_view line);

} // namespace telemetry
