// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// Connections that a process makes or accepts over and over (--fold). Of identical ones the first is an
/// event at once. Of those that follow it within an interval only the last is one, which says how many it
/// stands for; it is due when the interval ends, or before the process does. Identical are calls of one
/// process with the same ids and the same outcome and address; of an accepted connection the peer's port may
/// be any, and of one that was made, this end's. Events are kept as the records that they came in, since
/// decoded ones do not outlive the next.
class ConnectionFolds {
  public:
    using Clock = std::chrono::steady_clock;
    using Record = std::vector<std::byte>;

    static constexpr size_t most = 4096;          ///< intervals at a time: with more, the oldest ends
    static constexpr size_t most_bytes = 4 << 20; ///< of records that are kept, likewise

    /// What all of it takes at most, in bytes: a record by itself is smaller than 64 KiB.
    static constexpr size_t most_memory = most_bytes + most * 512 + (64 << 10);

    /// An event that is due, and what it stands for.
    struct Due {
        Record record;
        Fold fold;
    };
    enum class Outcome : uint8_t {
        reported, ///< the event is to be reported at once
        kept,     ///< the event is held back until its interval ends
        replaces, ///< the same, and the event held back before it will not be reported: this one counts it
    };

    /// Of more than 0 seconds.
    explicit ConnectionFolds(std::chrono::milliseconds interval) : interval_(interval) {}

    /// Is it a call that may be one of several?
    static bool concerns(const Event& event);
    /// To be called for those; `record` is the event's. What has no room any more is due at once.
    Outcome take(const Event& event, std::span<const std::byte> record, Clock::time_point now);

    /// What its process's end or new image makes due: the events of the old one.
    std::vector<Due> of_process(uint32_t pid);
    /// Whose interval has ended, and what had no room.
    std::vector<Due> due(Clock::time_point now);
    std::vector<Due> all() { return due(Clock::time_point::max()); }
    /// Is there something that had no room?
    bool overflows() const { return !overflow_.empty(); }

  private:
    struct Interval {
        std::string key; ///< what identical events have in common
        uint32_t pid;
        Clock::time_point end;
        Record record; ///< the last that is kept; empty: none came since the first
        Fold fold;
    };
    using Intervals = std::list<Interval>; ///< by `end`

    void begin(std::string key, const Event& event, Clock::time_point now);
    void end(Intervals::iterator interval, std::vector<Due>& due);
    void make_room();

    const std::chrono::milliseconds interval_;
    Intervals intervals_;
    std::unordered_map<std::string_view, Intervals::iterator> by_key_; ///< views of Interval::key
    std::unordered_map<uint32_t, size_t> of_process_;                  ///< how many intervals, by its number
    std::vector<Due> overflow_;
    size_t bytes_ = 0; ///< of records
};

} // namespace telemetry
