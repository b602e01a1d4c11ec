// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "telemetry/account/summary.hpp"

namespace telemetry {

/// Logs that outputs lose events (a full disk, a reader that does not keep up) when that begins, once a
/// minute while it lasts, and when it is over: a full disk has no room for the losses in the stream.
class OutputWatch {
  public:
    using Clock = std::chrono::steady_clock;

    /// Each second.
    void look(std::span<const OutputReport> reports, Clock::time_point now);

    static constexpr std::chrono::seconds between_lines{60};
    /// So long without a loss, and it is over.
    static constexpr std::chrono::seconds calm{10};

  private:
    struct Output {
        uint64_t lost = 0;   ///< as of the last look
        uint64_t logged = 0; ///< as of the last line
        bool is_losing = false;
        Clock::time_point last_loss{}, last_line{};
    };

    static void look(Output& output, const OutputReport& report, Clock::time_point now);

    std::map<std::string, Output> outputs_; ///< by name
};

} // namespace telemetry
