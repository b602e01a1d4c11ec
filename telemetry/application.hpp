// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <ebpf_loader/engine.hpp>

#include "decoder.hpp"
#include "extension.hpp"
#include "formatter.hpp"
#include "governor.hpp"
#include "ledger.hpp"
#include "options.hpp"
#include "outputs.hpp"
#include "process_cache.hpp"
#include "rules.hpp"

namespace telemetry {

/// A run: from the engine's records to the outputs, until a signal, the end of its time
/// or the last output's.
class Application {
  public:
    /// Loads rules and engine and opens the outputs. `extension` may be null.
    /// Throws ebpf_loader::Error, RuleError.
    Application(const Options& options, std::unique_ptr<Extension> extension);

    /// Returns the exit status.
    int run();

  private:
    using Clock = std::chrono::steady_clock;

    void take(std::span<const std::byte> record);
    void tell(std::span<const std::byte> record);
    void take_lines();
    void hand_over();
    void loop();
    bool goes_on();
    void govern();
    void every_second();
    void tell_losses();
    void print_summary(bool is_final);

    Options options_;
    std::unique_ptr<Extension> extension_;
    Rules rules_;
    Outputs outputs_;
    ebpf_loader::Engine engine_;
    std::unique_ptr<Formatter> formatter_;

    Decoder decoder_;
    ProcessCache cache_;
    Governor governor_;
    Ledger ledger_;
    Event event_;
    std::string lines_; ///< formatted, on the way to the outputs
    uint64_t lines_events_ = 0;

    Clock::time_point end_, next_stats_, next_second_;
    bool outputs_usable_ = true;
};

Rules load_rules(const Options& options);
/// What the kernel is asked for. Throws Error(usage) when that is nothing.
ebpf_loader::Selection select_events(Rules& rules, const Extension* extension);

} // namespace telemetry
