// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace telemetry {

/// Finds gaps in the numbers that the records of each CPU and slot bear.
class Sequences {
  public:
    /// The last numbers before the first that matters, at [cpu * EBT_SLOTS + slot]: the
    /// engine has used some up for its self-check.
    void begin_behind(std::span<const uint64_t> last);

    /// Notes a record.
    void note(uint16_t cpu, uint16_t slot, uint64_t sequence);

    /// How many records of that CPU and slot are missing since this was last asked.
    uint64_t take_gap(uint16_t cpu, uint16_t slot);

    /// All that are missing by now; one that comes late is not.
    uint64_t missing() const { return missing_; }

  private:
    static constexpr uint64_t unknown = UINT64_MAX; ///< the first is taken as the beginning
    struct Lane {
        uint64_t last = unknown;
        uint64_t gap = 0;
    };
    Lane* lane(uint16_t cpu, uint16_t slot);

    std::vector<Lane> lanes_;
    uint64_t missing_ = 0;
};

} // namespace telemetry
