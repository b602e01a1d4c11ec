// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "telemetry/activity/activity.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry {

/// What --summary prints: the tables of an activity, each with its first ten rows. Names are escaped.
class ActivityDocument final : public Document {
  public:
    /// `seconds`: how long it took, for rates. `rules_file`: where rules stand; may be empty. The activity
    /// has to last as long.
    ActivityDocument(const Activity& activity, double seconds, std::string rules_file)
        : activity_(activity), seconds_(seconds), rules_file_(std::move(rules_file)) {}

    std::string text() const override;
    std::string json() const override;

  private:
    const Activity& activity_;
    const double seconds_;
    const std::string rules_file_;
};

} // namespace telemetry
