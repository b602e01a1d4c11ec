// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/activity/activity.hpp"

namespace telemetry::top {

/// What was counted in an interval.
struct Interval {
    Activity activity;
    double seconds = 0;                    ///< how long it took
    int64_t first_time = 0, last_time = 0; ///< of recorded events, ns since 1970; 0: there was none
};

/// Intervals on their way from the thread that counts to the one that shows them. The counting thread never
/// waits: when the other one is slow, its interval grows. There are three, used by turns.
class Feed {
  public:
    using Clock = std::chrono::steady_clock;

    Feed() : filling_(std::make_unique<Interval>()), free_(std::make_unique<Interval>()) {}

    // By the thread that counts.
    Interval& filling() { return *filling_; }
    /// Hands over what is filled, if it was asked for.
    void offer();
    /// The last of it; waits until the other thread has room, or has gone.
    void finish();

    // By the thread that shows.
    /// For what is counted until then: an interval that was ready long ago would show the past.
    void ask() { is_wanted_ = true; }
    /// The interval that was handed over, if any.
    std::unique_ptr<Interval> take();
    void give_back(std::unique_ptr<Interval> used);
    bool is_finished() const { return is_finished_; }
    /// Nobody shows anything any more.
    void close() { is_closed_ = true; }
    bool is_closed() const { return is_closed_; }

    /// A line of the log, from any thread; the last ones are kept.
    void note(std::string line);
    std::vector<std::string> take_notes();

  private:
    void hand_over();

    std::unique_ptr<Interval> filling_;
    Clock::time_point began_ = Clock::now();
    std::atomic<bool> is_wanted_ = false, is_finished_ = false, is_closed_ = false;
    std::mutex mutex_;
    std::unique_ptr<Interval> ready_, free_;
    std::vector<std::string> notes_;
};

} // namespace telemetry::top
