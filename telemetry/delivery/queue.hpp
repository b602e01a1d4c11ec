// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "telemetry/spool/batch.hpp"

namespace telemetry {

/// Events that wait for an output, of bounded size. One thread puts and never waits; another takes. When it
/// is seven eighths full, vital items alone find room.
class EventQueue {
  public:
    using Clock = std::chrono::steady_clock;

    explicit EventQueue(size_t bytes) : most_bytes_(bytes) {}

    size_t capacity() const { return most_bytes_; }
    size_t bytes() const; ///< that wait
    /// Lines that are no events and found no room.
    uint64_t lost_reports() const;
    /// Returns how many events found no room.
    uint64_t put(Batch&& batch);
    /// An empty batch to put events into, with memory that was given back, if there is any: new memory costs
    /// the kernel as much as the events in it cost us.
    Batch spare();
    /// What was taken and is done with.
    void give_back(Batch&& batch);

    struct Wanted {
        size_t bytes;                        ///< at most, but for one item that is larger
        size_t items = SIZE_MAX;             ///< at most
        std::chrono::milliseconds linger{0}; ///< how long a batch waits to be filled
        std::chrono::milliseconds patience;  ///< how long nothing is waited for
    };
    /// Empty when nothing came in time, at wake(), and at the end.
    Batch take(const Wanted& wanted);
    /// Waits. False when the end came before: its deadline is over.
    bool pause(std::chrono::milliseconds time);
    /// Waits, but not beyond close().
    void wait_until_closed(std::chrono::milliseconds time);
    /// Has take() return soon.
    void wake();

    /// No more is put. Who takes has until `deadline` for the rest; of several the first counts.
    void close(Clock::time_point deadline);
    bool is_closed() const;
    /// Closed, and all was taken. An empty batch does not say so: more may have been put since it was taken.
    bool is_finished() const;
    Clock::time_point deadline() const;
    /// Waits until all was taken and the taker has come back for more. False when the time is over.
    bool wait_until_idle(std::chrono::milliseconds time);

  private:
    size_t room(bool is_vital) const { return is_vital ? most_bytes_ : most_bytes_ / 8 * 7; }
    void store(Batch&& batch);

    static constexpr size_t most_spare = 4, most_spare_bytes = 512 << 10;

    const size_t most_bytes_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> batches_;
    std::vector<Batch> spare_;
    size_t bytes_ = 0;
    size_t items_ = 0;
    uint64_t lost_reports_ = 0;
    bool is_idle_ = false;
    bool is_woken_ = false;
    bool is_closed_ = false;
    Clock::time_point deadline_ = Clock::time_point::max();
};

} // namespace telemetry
