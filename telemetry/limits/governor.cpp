// SPDX-License-Identifier: MIT
#include "telemetry/limits/governor.hpp"

#include <algorithm>
#include <ctime>
#include <malloc.h>
#include <string>
#include <utility>

#include "telemetry/base/log.hpp"
#include "telemetry/base/signals.hpp"
#include "telemetry/limits/memory_budget.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

/// Shedding that begins again within this time is the same overload, logged once.
constexpr auto calm = 5s;
/// Signals and the end of the run are looked for as often, at least.
constexpr std::chrono::nanoseconds longest_pause = 100ms;

std::chrono::nanoseconds read_clock(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::string mib(size_t bytes) {
    return std::to_string((bytes + mebibyte - 1) / mebibyte) + " MiB";
}

} // namespace

Governor::Governor(const RunLimits& limits, ebpf_loader::Engine& engine, ProcessCache& cache)
    : engine_(engine), cache_(cache) {
    report_.max_cpu = limits.max_cpu;
    report_.max_memory = limits.max_memory;
    if (limits.max_cpu > 0)
        budget_.emplace(limits.max_cpu);
    if (limits.max_memory > 0)
        malloc_trim(0); // loading took more than running does
}

void Governor::begin() {
    began_wall_ = wall_ = read_clock(CLOCK_MONOTONIC);
    began_used_ = used_ = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    if (budget_)
        budget_->begin(wall_, used_);
    check_memory();
}

void Governor::set_max_cpu(unsigned percent) {
    report_.max_cpu = percent;
    logged_shedding_ = logged_pause_ = false;
    if (std::exchange(sheds_, false))
        engine_.shed(false);
    budget_.reset();
    if (percent == 0)
        return;
    wall_ = read_clock(CLOCK_MONOTONIC);
    used_ = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    budget_.emplace(percent);
    budget_->begin(wall_, used_);
}

void Governor::look() {
    if (!budget_)
        return;
    note();
    if (budget_->pauses())
        pause();
    if (logged_shedding_ && !sheds_ && wall_ > shed_until_ + calm)
        log_calm();
}

void Governor::note() {
    const Time before = wall_;
    wall_ = read_clock(CLOCK_MONOTONIC);
    used_ = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    budget_->note(wall_, used_);
    if (sheds_) {
        report_.shed += wall_ - before;
        shed_until_ = wall_;
    }
    if (budget_->sheds() == sheds_)
        return;
    sheds_ = budget_->sheds();
    engine_.shed(sheds_);
    if (!sheds_)
        return;
    ++report_.times_shed;
    if (!logged_shedding_)
        log(LogLevel::warning,
            "--max-cpu " + std::to_string(report_.max_cpu) +
                " is used up: ordinary events are shed at times and counted as lost (max_cpu); execs, "
                "exits, forks and changes of credentials are still reported");
    logged_shedding_ = true;
}

void Governor::pause() {
    if (signals::end_asked())
        return;
    if (!logged_pause_)
        log(LogLevel::warning,
            "--max-cpu " + std::to_string(report_.max_cpu) +
                " is used up although ordinary events are shed: the reader pauses at times, and events "
                "that find no room in the buffer meanwhile are counted as lost (buffer_full)");
    logged_pause_ = true;
    const Time length = std::min(budget_->until_relief(), longest_pause);
    const timespec time{0, static_cast<long>(length.count())};
    nanosleep(&time, nullptr); // a signal ends it
    report_.paused += read_clock(CLOCK_MONOTONIC) - wall_;
    note();
}

void Governor::log_calm() {
    log(LogLevel::info,
        "within --max-cpu " + std::to_string(report_.max_cpu) +
            " again: all events are reported; events were shed " + std::to_string(report_.times_shed) +
            " times so far, for " +
            std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(report_.shed).count()) +
            " ms in all");
    logged_shedding_ = logged_pause_ = false;
}

std::chrono::milliseconds Governor::longest_wait(std::chrono::milliseconds usual) const {
    if (!budget_ || !sheds_)
        return usual;
    return std::min(usual, std::chrono::ceil<std::chrono::milliseconds>(budget_->until_relief()));
}

void Governor::check_memory() {
    if (report_.max_memory == 0)
        return;
    report_.resident = resident_memory();
    if (report_.resident > report_.max_memory)
        shrink(report_.resident);
    report_.most_resident = std::max(report_.most_resident, report_.resident);
}

void Governor::shrink(size_t resident) {
    const bool can_shrink = cache_.shrink();
    malloc_trim(0);
    report_.resident = resident_memory();
    if (can_shrink)
        ++report_.times_shrunk;
    if (!logged_memory_)
        log(LogLevel::warning, "resident memory, " + mib(resident) + ", is above --max-memory " +
                                   std::to_string(report_.max_memory / mebibyte) +
                                   ": the cache of processes is halved, which leaves " +
                                   mib(report_.resident));
    logged_memory_ = true;
    if (!can_shrink && report_.resident > report_.max_memory && !logged_least_) {
        log(LogLevel::warning,
            "resident memory stays above --max-memory although the cache of processes is at its "
            "smallest; use a smaller --buffer-size");
        logged_least_ = true;
    }
}

LimitsReport Governor::report() const {
    LimitsReport report = report_;
    if (report.max_cpu == 0)
        return report;
    report.wall = read_clock(CLOCK_MONOTONIC) - began_wall_;
    report.used = read_clock(CLOCK_PROCESS_CPUTIME_ID) - began_used_;
    return report;
}

} // namespace telemetry
