// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <vector>

namespace telemetry {

/// Finds gaps in the numbers that the records of each CPU and slot bear.
class Sequences {
  public:
    /// Notes a record. The first of a CPU and slot is taken as its beginning: the engine
    /// has used up numbers for its self-check.
    void note(uint16_t cpu, uint16_t slot, uint64_t sequence);

    /// How many records of that CPU and slot are missing since this was last asked.
    uint64_t take_gap(uint16_t cpu, uint16_t slot);

    /// All that are missing by now; one that comes late is not.
    uint64_t missing() const { return missing_; }

  private:
    struct Lane {
        uint64_t last = 0; ///< 0: none yet
        uint64_t gap = 0;
    };
    Lane* lane(uint16_t cpu, uint16_t slot);

    std::vector<Lane> lanes_;
    uint64_t missing_ = 0;
};

} // namespace telemetry
