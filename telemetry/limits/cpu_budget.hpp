// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>

namespace telemetry {

/// Decides what a share of the CPU has room for. Time that may be used comes in evenly and is
/// saved up for a moment; what was used goes out. When there is none left, ordinary events are
/// to be shed, and when that is not enough, the reader is to pause. Debts are paid: over a second
/// or two the use is the share, however much there is to do, and events are reported for as large a
/// part of each second as there is time for.
///
/// It has no clock: the caller passes the time.
class CpuBudget {
  public:
    using Time = std::chrono::nanoseconds;
    static constexpr unsigned most_percent = 100'000;

    /// `percent` of one CPU, from 1 to most_percent.
    explicit CpuBudget(unsigned percent);

    /// From here on it counts. `wall` is the time, `used` what the process has used of CPUs.
    void begin(Time wall, Time used);
    void note(Time wall, Time used);

    /// Are ordinary events to be shed?
    bool sheds() const { return sheds_; }
    /// Is the reader to pause?
    bool pauses() const { return pauses_; }
    /// How long it takes until either of the two ends, if nothing is used meanwhile; 0: neither is.
    Time until_relief() const;

  private:
    Time share(Time wall) const { return wall * percent_ / 100; }
    Time wall(Time share) const { return share * 100 / percent_; }

    const int64_t percent_;
    // How much may be saved up, at which shedding ends, at which the reader pauses and goes on.
    const Time most_, enough_, far_too_little_, bearable_;
    Time last_wall_{}, last_used_{};
    Time left_{};
    bool sheds_ = false, pauses_ = false;
};

} // namespace telemetry
