// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "imds/app/tracker.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry::imds {

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
