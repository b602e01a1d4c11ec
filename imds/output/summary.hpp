// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "imds/judge/event.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry::imds {

/// Counts requests by executable and container: the answer to "what must I migrate?".
class ImdsSummary final : public Document {
  public:
    void count(const ImdsEvent& event);

    /// A table, those with requests of version 1 first.
    std::string text() const override;
    /// One object a line.
    std::string json() const override;

    struct Row {
        uint64_t v1 = 0, v2 = 0, other = 0;
        uint64_t credentials = 0;
        uint64_t connections = 0; ///< without content: what went over them is not known
    };
    struct Service {
        std::string executable; ///< the thread's name where the executable is not known
        std::string container;
        auto operator<=>(const Service&) const = default;
    };
    const std::map<Service, Row>& rows() const { return rows_; }

    static constexpr size_t most_rows = 1000;

  private:
    std::map<Service, Row> rows_; ///< one without a name holds those beyond most_rows
};

} // namespace telemetry::imds
