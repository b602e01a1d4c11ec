// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>

namespace telemetry {

/// How long events are on their way, from when they happened to when they are given to the outputs: of the
/// oldest event of each batch, so that no event pays for it.
class Lag {
  public:
    /// Upper bounds, in ns; what is longer counts in the last one of counts().
    static constexpr std::array<uint64_t, 10> bounds = {1'000'000,     5'000'000,    10'000'000,  25'000'000,
                                                        50'000'000,    100'000'000,  250'000'000, 500'000'000,
                                                        1'000'000'000, 5'000'000'000};

    void note(uint64_t ns);
    const std::array<uint64_t, bounds.size() + 1>& counts() const { return counts_; }
    uint64_t sum() const { return sum_; } ///< ns

  private:
    std::array<uint64_t, bounds.size() + 1> counts_{};
    uint64_t sum_ = 0;
};

} // namespace telemetry
