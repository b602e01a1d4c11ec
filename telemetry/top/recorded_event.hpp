// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "telemetry/top/feed.hpp"

namespace telemetry::top {

/// Counts recorded events: lines of -f json. It takes from a line what it needs without keeping the rest.
class RecordedCounter {
  public:
    RecordedCounter();
    ~RecordedCounter();

    /// False: the line is no event.
    bool count(std::string_view line, Interval& into);

  private:
    struct Reader;
    std::string_view kept(const std::string& call);

    std::unique_ptr<Reader> reader_;
    std::unordered_set<std::string> calls_; ///< those that tables refer to
};

} // namespace telemetry::top
