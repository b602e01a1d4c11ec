// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "imds/app/options.hpp"
#include "imds/app/pipeline.hpp"
#include "imds/app/reporter.hpp"
#include "telemetry/app/engine_run.hpp"
#include "telemetry/reload/reload.hpp"

namespace telemetry::imds {

/// What a reload puts in force.
struct NewTracking {
    TrackerOptions options;
    Endpoints endpoints;
    ebpf_loader::Selection selection;
};

/// A run of imds-tracker: reports requests to metadata services to the outputs.
class TrackerApplication : private EventConsumer {
  public:
    /// The options as the command line and the files have them now. Throws std::exception.
    using ReadOptions = std::function<TrackerOptions()>;

    /// Loads the engine and opens the outputs. `read_options` is called on SIGHUP, by another thread. Throws
    /// ebpf_loader::Error, RuleError.
    TrackerApplication(const TrackerOptions& options, ReadOptions read_options);

    /// Returns the exit status.
    int run();

  private:
    using Clock = std::chrono::steady_clock;

    void started() override;
    void take(Event& event, uint64_t record_time, Ledger& ledger) override;
    void turn(size_t records) override;
    void finish_events() override { pipeline_.finish(); }
    void put_lines(std::string_view lines) override { reporter_.put_lines(lines); }
    void hand_over() override { reporter_.hand_over(); }
    void finish_outputs() override { reporter_.finish(); }
    bool hang_up() override;
    std::optional<Options> take_new_options() override;
    std::optional<ReloadCounts> reloads() const override { return reload_.counts(); }
    NeededRights needed_rights() const override;
    bool are_outputs_usable() override { return reporter_.usable(); }
    std::vector<OutputReport> reports() const override { return reporter_.reports(); }
    std::vector<HelperReport> helpers() const override;
    void put_stats(Formatter& formatter, std::string& out) const override;
    void print_summary();
    NewTracking read_anew() const;

    TrackerOptions options_; ///< in force
    const ReadOptions read_options_;
    const bool has_terminal_;
    const std::shared_ptr<Route> route_;     ///< to the helper that reads HTTP
    std::shared_ptr<Symbolizer> symbolizer_; ///< null: there are no stacks
    ImdsReporter reporter_;
    ebpf_loader::Engine engine_;
    ImdsPipeline pipeline_;
    EngineRun run_;
    Reload<NewTracking> reload_;
    Clock::time_point next_summary_ = Clock::time_point::max();
};

/// What a run selects: forks, execs and exits, from which the lineage of callers is built, and the transfers.
ebpf_loader::Selection select_events(const TrackerOptions& options);

/// Built-in endpoints and those of the options' files. Throws RuleError.
Endpoints load_endpoints(const TrackerOptions& options);

} // namespace telemetry::imds
