// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "imds/app/tracker.hpp"
#include "telemetry/account/summary.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry::imds {

/// Of the helpers that there are.
std::vector<HelperReport> helper_reports(const ImdsTracker::Counters& counters, bool has_stacks = false);

/// The counters of the tracker, for --stats.
class TrackerStats final : public Document {
  public:
    /// The counters must outlive it.
    explicit TrackerStats(const ImdsTracker::Counters& counters) : counters_(counters) {}

    std::string text() const override;
    std::string json() const override;

  private:
    const ImdsTracker::Counters& counters_;
};

} // namespace telemetry::imds
