// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/call_watch.hpp"

#include "loader/src/base/clock.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/base/text.hpp"

#include <ctime>
#include <filesystem>
#include <string>

namespace ebpf_loader {
namespace {

/// Of a /proc/PID/status: does the process have a filter or a tracer, and may it still call?
bool is_supervised(const std::string& status, const std::string& caller) {
    const auto value = [&](std::string_view name) { return status_number(status, name).value_or(0); };
    return (value("Seccomp") != 0 || value("TracerPid") != 0) && std::to_string(value("PPid")) != caller &&
           status.find("\nState:\tZ") == std::string::npos;
}

} // namespace

bool is_anyone_supervised(const std::string& proc) {
    std::error_code error;
    const std::string own = std::filesystem::read_symlink(proc + "/self", error);
    for (const auto& entry : std::filesystem::directory_iterator(proc, error)) {
        const std::string name = entry.path().filename();
        if (name[0] >= '0' && name[0] <= '9' && name != own &&
            is_supervised(read_file(entry.path() / "status", 4096).value_or(""), own))
            return true;
    }
    return false;
}

CallWatch::CallWatch(LoadedTier& tier, const Offsets& offsets, const EngineOptions& options)
    : tier_(tier), wanted_(options.watch_calls), proc_(options.host_proc), log_(options.log),
      is_possible_(wanted_ != WatchCalls::never &&
                   (offsets.get(*Offsets::find("task_struct.seccomp_mode")).has_value() ||
                    offsets.get(*Offsets::find("task_struct.ptrace")).has_value())) {
    if (!is_possible_ && wanted_ != WatchCalls::never && log_)
        log_("where the kernel keeps seccomp filters and tracers is not known: calls that one of them "
             "answered "
             "appear as if they had run");
}

void CallWatch::start(ebt_settings& settings) {
    is_on_ = is_needed_ = false;
    settings.watched_since = 0;
    if (!tier_.selects_calls())
        return;
    if (wanted_ == WatchCalls::always)
        begin(settings, "as asked for");
    else if (is_possible_ && is_anyone_supervised(proc_))
        begin(settings, "there are processes with a seccomp filter or a tracer");
}

bool CallWatch::follow(ebt_settings& settings) {
    if (is_on_ || !is_needed_)
        return false;
    return begin(settings, "a process has a seccomp filter or a tracer");
}

bool CallWatch::begin(ebt_settings& settings, std::string_view why) {
    if (!is_possible_)
        return false;
    try {
        tier_.attach_enter();
    } catch (const Error& error) {
        is_possible_ = false;
        if (log_)
            log_(std::string("the starts of calls cannot be watched: ") + error.what());
        return false;
    }
    is_on_ = true;
    settings.watched_since = clock_ns(CLOCK_BOOTTIME);
    if (log_)
        log_(std::string("the starts of calls are watched from now on, to know which of them run: ")
                 .append(why));
    return true;
}

} // namespace ebpf_loader
