// SPDX-License-Identifier: MIT
#include "telemetry/reload/reloadable_options.hpp"

#include <algorithm>
#include <string>

#include "telemetry/base/log.hpp"
#include "telemetry/cli/settings_file.hpp"

namespace telemetry {

Options with_reloadable(Options now, const Options& read) {
    now.settings = read.settings;
    now.log_level = read.log_level;
    if (now.max_cpu > 0) // else the kernel's programs cannot shed
        now.max_cpu = read.max_cpu;
    if (now.events_per_process > 0)
        now.events_per_process = read.events_per_process;
    return now;
}

void log_changed_options(const Options& now, const Options& next, std::span<const std::string_view> more) {
    std::string names;
    for (const std::string& name : command_line::changed_settings(now.settings, next.settings)) {
        const bool comes = name.starts_with('[') || name == "log-level" ||
                           (name == "max-cpu" && now.max_cpu > 0) ||
                           (name == "max-events-per-process" && now.events_per_process > 0) ||
                           std::ranges::count(more, name);
        if (!comes)
            names += (names.empty() ? "" : ", ") + name;
    }
    if (!names.empty())
        log(LogLevel::warning, "these options were changed and take effect at the next start: " + names);
}

} // namespace telemetry
