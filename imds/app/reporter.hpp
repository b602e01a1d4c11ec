// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "imds/app/options.hpp"
#include "imds/output/formatter.hpp"
#include "imds/output/summary.hpp"
#include "telemetry/account/ledger.hpp"
#include "telemetry/app/outputs.hpp"
#include "telemetry/output/formatter.hpp"
#include "telemetry/sink/datadog.hpp"

namespace telemetry::imds {

/// Where ImdsEvents go: formatted to the outputs, as JSON to Datadog, counted in the summary.
class ImdsReporter {
  public:
    /// Opens all outputs. Throws ebpf_loader::Error.
    explicit ImdsReporter(const TrackerOptions& options);

    /// Must come before the first event.
    void begin(const FormatContext& context);
    void put(const ImdsEvent& event);
    /// Lines that tell no event of this kind, such as losses.
    void put_lines(std::string_view lines);
    void hand_over();
    void flush() { outputs_.flush(); }
    void finish();

    bool reopen() { return outputs_.reopen(); }
    bool usable() { return outputs_.usable(); }
    std::vector<OutputReport> reports() const;
    const ImdsSummary& summary() const { return summary_; }
    uint64_t events() const { return events_; }

  private:
    TrackerOptions options_;
    Outputs outputs_;
    std::unique_ptr<DatadogSink> datadog_;
    std::unique_ptr<ImdsFormatter> formatter_;
    std::unique_ptr<ImdsFormatter> datadog_formatter_; ///< null: the same lines as everywhere
    ImdsSummary summary_;
    std::string lines_;
    std::string datadog_lines_;
    uint64_t lines_events_ = 0;
    uint64_t events_ = 0;
};

} // namespace telemetry::imds
