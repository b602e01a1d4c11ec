// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "telemetry/activity/event_counter.hpp"
#include "telemetry/cli/options.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/rules/rules.hpp"
#include "telemetry/top/live.hpp"

namespace telemetry {

/// What a run counts of the events that it reports, for --summary and --top.
class ActivityReport {
  public:
    explicit ActivityReport(const Options& options, std::shared_ptr<const AccountFiles> accounts);
    ~ActivityReport() { close_screen(); }
    ActivityReport(const ActivityReport&) = delete;
    ActivityReport& operator=(const ActivityReport&) = delete;

    /// What its tables take at most, in bytes, whatever comes. 0 where none are asked for.
    static size_t most_bytes(const Options& options);

    /// Events come from now on. Throws ebpf_loader::Error where --top has no terminal.
    void begin(const std::string& node);
    /// An event that was reported, `bytes` of lines. This is on the hot path.
    void count(const Event& event, const rules::ChosenRule& rule, uint64_t bytes);
    void count_lost(uint64_t events) { activity().count_lost(events); }
    /// What the time asks for.
    void turn(Formatter& formatter);
    /// No more events come.
    void finish(Formatter& formatter);

  private:
    using Clock = std::chrono::steady_clock;

    Activity& activity();
    void print(Formatter& formatter, const Activity& activity, Clock::time_point since) const;
    void end_interval(Formatter& formatter, Clock::time_point now);
    void close_screen();

    const Options options_;
    const std::string rules_file_;
    EventCounter counter_;
    std::optional<Activity> recent_; ///< since the last tables were printed, once there is something
    std::optional<Activity> total_;  ///< before that
    Clock::time_point begin_{}, interval_begin_{}, next_ = Clock::time_point::max();
    std::unique_ptr<top::Live> live_;
};

} // namespace telemetry
