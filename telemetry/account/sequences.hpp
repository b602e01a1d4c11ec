// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
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

    struct Range {
        uint64_t first, last;
    };
    /// The numbers between which all those lie that are missing since this was last asked, as
    /// far as `last_lost`, if that is known to be lost already. At [cpu * EBT_SLOTS + slot].
    std::optional<Range> take_range(size_t index, uint64_t last_lost);

    /// All that are missing by now; one that comes late is not.
    uint64_t missing() const { return missing_; }

  private:
    static constexpr uint64_t unknown = UINT64_MAX; ///< the first is taken as the beginning
    struct Lane {
        uint64_t last = unknown;
        uint64_t gap = 0;
        uint64_t missing_first = 0, missing_last = 0; ///< that take_range() has not returned
        uint64_t returned = 0;                        ///< the last number that take_range() did return

        void note_range(uint64_t from, uint64_t to);
    };
    Lane* lane(uint16_t cpu, uint16_t slot);

    std::vector<Lane> lanes_;
    uint64_t missing_ = 0;
};

} // namespace telemetry
