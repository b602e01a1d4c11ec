// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "telemetry/spool/batch.hpp"

namespace telemetry {

/// How the far end answered.
struct Answer {
    enum class Result : uint8_t {
        taken,
        again,    ///< it may take the same later
        refused,  ///< it will never take that
        too_large ///< nor so much at once
    };
    Result result = Result::again;
    std::string error;
    std::chrono::milliseconds retry_after{0}; ///< as the far end asks
    std::vector<Result> items;                ///< of a batch that was taken in part; empty: all alike
};

/// A far end that acknowledges what it gets. Used by one thread.
class Sender {
  public:
    /// May become earlier while it is waited for.
    using Deadline = std::function<std::chrono::steady_clock::time_point()>;

    virtual ~Sender() = default;
    virtual Answer send(const Batch& batch, const Deadline& deadline) = 0;
};

} // namespace telemetry
