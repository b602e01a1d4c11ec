// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/app/activity_report.hpp"
#include "telemetry/app/deliveries.hpp"
#include "telemetry/app/engine_run.hpp"
#include "telemetry/app/extension.hpp"
#include "telemetry/app/outputs.hpp"
#include "telemetry/cli/options.hpp"
#include "telemetry/delivery/line_limit.hpp"
#include "telemetry/hash/executable_hashes.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/process/lineage.hpp"
#include "telemetry/reload/new_setup.hpp"
#include "telemetry/reload/reload.hpp"
#include "telemetry/reload/rules_in_force.hpp"
#include "telemetry/rules/rules.hpp"

namespace telemetry {

/// A run of ebpf_telemetry: events that the rules select, formatted, to the outputs.
class Application : private EventConsumer {
  public:
    /// The options as the command line and the files have them now. Throws std::exception.
    using ReadOptions = std::function<Options()>;

    /// Loads rules and engine and opens the outputs. `extension` may be null. `read_options` is called on
    /// SIGHUP, by another thread. Throws ebpf_loader::Error, RuleError.
    Application(const Options& options, std::unique_ptr<Extension> extension, ReadOptions read_options);

    /// Returns the exit status.
    int run() { return run_.run(); }

  private:
    void started() override;
    void take(Event& event, uint64_t record_time, Ledger& ledger) override;
    void renew_formatter(const FormatContext& context) override;
    void turn(size_t records) override;
    void finish_events() override;
    void put_lines(std::string_view lines) override { lines_ += lines; }
    void put_losses(std::span<const LossEvent> losses) override;
    void put_heartbeat(const Heartbeat& heartbeat) override { deliveries_.put(heartbeat); }
    void hand_over() override;
    void finish_outputs() override;
    void close_outputs() override { deliveries_.close(); }
    bool hang_up() override;
    std::optional<Options> take_new_options() override;
    std::optional<ReloadCounts> reloads() const override { return reload_.counts(); }
    bool are_outputs_usable() override;
    bool folds_searches() const override { return rules_.current().folds_searches(); }
    NeededRights needed_rights() const override;
    std::vector<OutputReport> reports() const override;
    std::vector<HelperReport> helpers() const override;
    void report(const Event& event, const rules::ChosenRule& rule);
    NewSetup read_anew() const;
    NewOutputs outputs_anew(const Options& read) const;
    void take_lines();
    void shorten(size_t from);

    Options options_; ///< in force
    const ReadOptions read_options_;
    const bool has_terminal_;
    std::unique_ptr<Extension> extension_;
    RulesInForce rules_;
    Outputs outputs_;
    Deliveries deliveries_;
    ebpf_loader::Engine engine_;
    const Format& format_;
    std::unique_ptr<Formatter> formatter_;
    std::optional<Lineage> lineage_; ///< where it is followed
    std::optional<ExecutableHashes> hashes_;
    std::optional<ActivityReport> activity_; ///< where it is asked for
    EngineRun run_;
    Reload<NewSetup> reload_;
    const bool has_plain_outputs_; ///< those of the command line; if there are none at all, it counts as one
    std::string lines_;            ///< formatted, on the way to the outputs
    uint64_t lines_events_ = 0;
    LineLimit limit_; ///< of them
};

/// Reads and logs them.
Rules load_rules(const Options& options);
/// What --explain prints.
std::string explain_rules(const Options& options);
/// What the kernel is asked for, where lineage is followed the starts and ends of all processes too. Throws
/// Error(usage) when the rules ask for nothing.
ebpf_loader::Selection select_events(Rules& rules, const Options& options, const Extension* extension);

} // namespace telemetry
