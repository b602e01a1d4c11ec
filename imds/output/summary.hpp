// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "imds/judge/event.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry::imds {

/// Counts requests by executable and container, to show what still has to be migrated to v2.
class ImdsSummary final : public Document {
  public:
    void count(const ImdsEvent& event);

    /// A table; services with requests of v1 come first.
    std::string text() const override;
    /// One JSON object per line.
    std::string json() const override;

    struct Row {
        uint64_t v1 = 0, v2 = 0, other = 0;
        uint64_t credentials = 0;
        uint64_t connections = 0; ///< connections whose content is unknown
    };
    struct Service {
        std::string executable; ///< the name of the thread if the executable is unknown
        std::string container;
        auto operator<=>(const Service&) const = default;
    };
    const std::map<Service, Row>& rows() const { return rows_; }

    static constexpr size_t most_rows = 1000;

  private:
    std::map<Service, Row> rows_; ///< a row without a name counts the services beyond most_rows
};

} // namespace telemetry::imds
