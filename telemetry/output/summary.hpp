// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "telemetry/account/summary.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry {

/// Where all events have gone, as it is written to standard error.
class SummaryDocument final : public Document {
  public:
    /// The summary must outlive it.
    explicit SummaryDocument(const Summary& summary) : summary_(summary) {}

    std::string text() const override;
    std::string json() const override;

  private:
    const Summary& summary_;
};

} // namespace telemetry
