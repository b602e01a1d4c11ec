// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include <ebpf_loader/engine.hpp>

#include "decoder.hpp"
#include "governor.hpp"
#include "imds/reporter.hpp"
#include "imds/streams.hpp"
#include "imds/tracker.hpp"
#include "imds/tracker_options.hpp"
#include "ledger.hpp"
#include "process_cache.hpp"

namespace telemetry::imds {

/// A run of imds-tracker: from the engine's records to the outputs.
class TrackerApplication {
  public:
    /// Loads the engine and opens the outputs. Throws ebpf_loader::Error, RuleError.
    explicit TrackerApplication(const TrackerOptions& options);

    /// Returns the exit status.
    int run();

  private:
    using Clock = std::chrono::steady_clock;

    void take(std::span<const std::byte> record);
    void track(std::span<const std::byte> record);
    void loop();
    bool goes_on();
    void every_second();
    void tell_losses();
    void print_stats(bool is_final);
    void print_summary();

    TrackerOptions options_;
    ImdsReporter reporter_;
    ebpf_loader::Engine engine_;
    std::unique_ptr<Formatter> losses_;
    ImdsTracker tracker_;
    StreamGate gate_;

    Decoder decoder_;
    ProcessCache cache_;
    Governor governor_;
    Ledger ledger_;
    Event event_;

    Clock::time_point end_, next_stats_, next_summary_, next_second_;
    bool outputs_usable_ = true;
};

/// Built-in endpoints and those of the options' files. Throws RuleError.
Endpoints load_endpoints(const TrackerOptions& options);

} // namespace telemetry::imds
