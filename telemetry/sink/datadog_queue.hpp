// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace telemetry {

/// Events that wait to be sent, of bounded size; what has no room is lost and counted. One thread
/// puts, another takes.
class DatadogQueue {
  public:
    using Clock = std::chrono::steady_clock;
    struct Limits {
        size_t bytes;
        size_t batch_bytes;
        size_t batch_events;
    };
    struct Batch {
        std::deque<std::string> events;
        size_t bytes = 0;
    };

    explicit DatadogQueue(const Limits& limits) : limits_(limits) {}

    void put(std::string_view line);
    /// Waits until there is a batch: full, or `linger` old, or the last. Empty at the very end.
    Batch take(std::chrono::milliseconds linger);
    /// Waits; true when the end came before.
    bool pause(std::chrono::milliseconds time);
    /// No more is put. From `deadline` on nothing is waited for.
    void close(Clock::time_point deadline);
    Clock::time_point deadline() const;

    uint64_t overflow() const;

  private:
    const Limits limits_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> events_;
    size_t bytes_ = 0;
    uint64_t overflow_ = 0;
    bool is_closed_ = false;
    Clock::time_point deadline_ = Clock::time_point::max();
};

} // namespace telemetry
