// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/account/ledger.hpp"
#include "telemetry/app/health_report.hpp"
#include "telemetry/app/output_watch.hpp"
#include "telemetry/cli/options.hpp"
#include "telemetry/event/decoder.hpp"
#include "telemetry/fold/connection_folds.hpp"
#include "telemetry/limits/governor.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/process/cache.hpp"
#include "telemetry/process/exec_searches.hpp"
#include "telemetry/rights/rights.hpp"

namespace telemetry {

/// What a program does with the events of a run, and where its lines go.
class EventConsumer {
  public:
    virtual ~EventConsumer() = default;

    /// Capture has begun: nobody can start unseen any more.
    virtual void started() {}
    /// One event, whose record has that time; the ledger counts what becomes of it. This is the hot path.
    virtual void take(Event& event, uint64_t record_time, Ledger& ledger) = 0;
    /// The host's name or its clock was set: what formatters of events know of the run is out of date.
    virtual void renew_formatter(const FormatContext& /*context*/) {}
    /// After each turn of the loop, in which so many records came.
    virtual void turn(size_t records) = 0;
    /// No more events come.
    virtual void finish_events() {}

    /// Lines that are no events, such as losses.
    virtual void put_lines(std::string_view lines) = 0;
    /// The same losses, for outputs that are not in the program's format.
    virtual void put_losses(std::span<const LossEvent> /*losses*/) {}
    virtual void put_heartbeat(const Heartbeat& /*heartbeat*/) {}
    /// Gives what is formatted to the outputs.
    virtual void hand_over() = 0;
    virtual void finish_outputs() = 0;
    /// Nothing follows any more.
    virtual void close_outputs() {}
    /// SIGHUP came. False: the run ends.
    virtual bool hang_up() = 0;
    /// The options that came into force by that, once.
    virtual std::optional<Options> take_new_options() { return std::nullopt; }
    /// None where it reloads nothing.
    virtual std::optional<ReloadCounts> reloads() const { return std::nullopt; }
    /// Is of a search for a program to execute only the outcome an event? See ExecSearches.
    virtual bool folds_searches() const { return false; }
    /// What it needs while events come, besides what the engine and /proc ask for.
    virtual NeededRights needed_rights() const = 0;
    /// False when no output is left.
    virtual bool are_outputs_usable() = 0;
    virtual std::vector<OutputReport> reports() const = 0;
    virtual std::vector<HelperReport> helpers() const { return {}; }

    /// Appends what the statistics say besides.
    virtual void put_stats(Formatter& /*formatter*/, std::string& /*out*/) const {}
};

/// A run: from the engine's records to the consumer, until a signal, the end of its time or the
/// last output's. Keeps the ledger, the limits and the clocks, and reports losses and statistics.
class EngineRun {
  public:
    /// The engine and the consumer must outlive it.
    /// `environment`: what images get of the environments of their processes.
    EngineRun(const Options& options, ebpf_loader::Engine& engine, EventConsumer& consumer,
              const std::string& proc_root, const EnvironmentNames& environment = {});

    /// The longest that events wait in a buffer that wakes nobody for a few. Default: 100 ms.
    void set_poll_time(std::chrono::milliseconds time) { poll_time_ = time; }
    /// A helper will answer soon: the next turn comes at once, or nearly.
    void set_waits_for_answers(bool waits) { waits_for_answers_ = waits; }

    /// Returns the exit status.
    int run();

    /// Of an event that EventConsumer::take() would report: true when another one stands for it, or will
    /// (--fold).
    bool is_folded(const Event& event) {
        return folds_ && !event.fold && ConnectionFolds::concerns(event) && fold(event);
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr uint32_t records_a_look_at_the_clock = 256;

    void begin();
    void loop();
    size_t read_at_once();
    void end();
    bool goes_on();
    void take(std::span<const std::byte> record);
    void deliver(uint64_t time);
    void take_attempt(std::span<const std::byte> record, uint64_t time);
    void deliver_attempts(const std::vector<ExecSearches::Record>& records);
    bool fold(const Event& event);
    void end_folds();
    void deliver_folds(const std::vector<ConnectionFolds::Due>& due);
    void govern();
    void adopt(const Options& options);
    void every_second();
    void check_tampering();
    void follow_host();
    void keep_needed_rights();
    void report_losses();
    Summary summary(const ebpf_loader::EngineStats& stats, bool is_final) const;
    void report_health(bool is_final);
    void print_summary(bool is_final);

    Options options_; ///< in force
    ebpf_loader::Engine& engine_;
    EventConsumer& consumer_;
    std::unique_ptr<Formatter> formatter_; ///< of losses and statistics
    Decoder decoder_;
    ProcessCache cache_;
    Governor governor_;
    Ledger ledger_;
    ExecSearches searches_;
    bool folds_searches_ = false;
    std::optional<ConnectionFolds> folds_; ///< where it is asked for
    std::span<const std::byte> record_;    ///< of the event at hand
    OutputWatch output_watch_;
    RefusedCalls refused_calls_;
    HealthReport health_;
    Event event_;
    std::string node_; ///< the host's name
    int64_t clock_offset_ = 0;
    uint64_t looked_at_ = 0;   ///< when it was read, as records have the time
    uint64_t batch_time_ = 0;  ///< of the first record since the engine was polled
    bool batch_begins_ = true; ///< no record was taken since the engine was polled
    std::chrono::milliseconds poll_time_{100};
    bool waits_for_answers_ = false;
    Clock::time_point end_, next_stats_, next_second_;
    bool outputs_usable_ = true;
    bool is_tampered_ = false; ///< and the run has to end
    bool is_watched_ = false;  ///< the service manager restarts it unless it gets signs of life
    uint32_t taken_ = 0;       ///< records
    bool is_over_ = false;     ///< the time to end is up: what is in the buffers is left there
};

} // namespace telemetry
