// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "telemetry/base/log.hpp"

namespace telemetry {

/// A warning of what hostile input can cause at will: it is logged at once, and from then on at most once in
/// `interval`, with how many were left out. Not for use by several threads.
class RepeatedWarning {
  public:
    using Clock = std::chrono::steady_clock;

    explicit RepeatedWarning(Clock::duration interval = std::chrono::minutes(1)) : interval_(interval) {}

    void tell(const std::string& line, Clock::time_point now = Clock::now()) {
        if (now < next_) {
            ++left_out_;
            return;
        }
        log(LogLevel::warning,
            left_out_ ? line + " (and " + std::to_string(left_out_) + " more since the last such line)"
                      : line);
        left_out_ = 0;
        next_ = now + interval_;
    }

  private:
    const Clock::duration interval_;
    Clock::time_point next_ = Clock::time_point::min();
    uint64_t left_out_ = 0;
};

} // namespace telemetry
