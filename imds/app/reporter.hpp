// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "imds/app/options.hpp"
#include "imds/output/formatter.hpp"
#include "imds/output/summary.hpp"
#include "telemetry/account/summary.hpp"
#include "telemetry/app/outputs.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry::imds {

/// Formats ImdsEvents, writes them to the outputs and counts them in the summary.
class ImdsReporter {
  public:
    /// Opens all outputs. Throws ebpf_loader::Error.
    explicit ImdsReporter(const TrackerOptions& options);

    /// To be called before the first event.
    void begin(const FormatContext& context);
    void put(const ImdsEvent& event);
    /// Writes lines that are not ImdsEvents, such as losses.
    void put_lines(std::string_view lines);
    void hand_over();
    void flush() { outputs_.flush(); }
    void finish();

    bool reopen() { return outputs_.reopen(); }
    std::vector<std::string> files() const { return outputs_.files(); }
    bool usable() { return outputs_.usable(); }
    std::vector<OutputReport> reports() const { return outputs_.reports(); }
    const ImdsSummary& summary() const { return summary_; }

  private:
    /// The lines for sinks that have a format of their own, such as Datadog.
    struct OwnFormat {
        const Format* format;
        std::unique_ptr<ImdsFormatter> formatter;
        std::string lines;
    };

    TrackerOptions options_;
    Outputs outputs_;
    std::unique_ptr<ImdsFormatter> formatter_;
    std::vector<OwnFormat> own_;
    ImdsSummary summary_;
    std::string lines_;
    uint64_t lines_events_ = 0;
};

} // namespace telemetry::imds
