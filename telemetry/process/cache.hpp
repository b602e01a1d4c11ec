// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "telemetry/event/event.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/process/table.hpp"

namespace telemetry {

/// Remembers what process images are, so that events that come without theirs get it:
/// from a record that had it, from the parent at a fork, and where a record was lost,
/// from /proc. Memory is bounded.
class ProcessCache {
  public:
    struct Limits {
        size_t processes = 65536;
        size_t image_bytes = 64u << 20;
        /// How long a process that ended is remembered: records of several CPUs may
        /// come slightly out of order.
        uint64_t grace_ns = 2'000'000'000;
        size_t grace_processes = 4096;
    };
    struct Counters {
        uint64_t hits = 0;       ///< events that found their image
        uint64_t records = 0;    ///< images that came with a record
        uint64_t inherited = 0;  ///< images of forked children
        uint64_t remembered = 0; ///< images of processes that end, as they were at the start
        uint64_t healed = 0;     ///< images read from /proc
        uint64_t unhealed = 0;   ///< tried in vain
        uint64_t evicted = 0;    ///< living processes forgotten for lack of room
    };

    ProcessCache() : ProcessCache(Limits{}) {}
    explicit ProcessCache(const Limits& limits, Procfs procfs = Procfs());

    /// Reads the images of the processes that run by now. The record of a process that
    /// ends brings none, and those that start later have an earlier event.
    void remember_running();

    /// Completes the event with the image of its process. Its views into the cache are
    /// valid until the next call.
    void enrich(Event& event);

    /// Halves what it remembers, and what it may from now on. False when that is at its least.
    bool shrink();

    Counters counters() const;
    size_t processes() const { return table_.size(); }
    size_t image_bytes() const { return image_bytes_; }

  private:
    using Entry = ProcessTable::Entry;
    struct Running {
        uint64_t start_ticks;
        std::string comm;
        std::shared_ptr<const StoredImage> image;
    };

    void make_room(uint64_t time_ns);
    void complete(Event& event, Entry* entry, const ProcessKey& key);
    void learn(Event& event, Entry* entry, const ProcessKey& key);
    void heal(Event& event, Entry* entry, const ProcessKey& key);
    void inherit(const Event& event, const ProcessKey& parent);
    void lend(Event& event, const std::shared_ptr<const StoredImage>& image);
    std::shared_ptr<const StoredImage> read_again(const Event& event);
    std::shared_ptr<const StoredImage> store(const Image& image);

    Limits limits_;
    Procfs procfs_;
    size_t image_bytes_ = 0; ///< before the table, whose images count here to the last
    ProcessTable table_;
    std::unordered_map<uint32_t, Running> running_; ///< at the start, and nothing heard of since
    std::shared_ptr<const StoredImage> lent_;       ///< what the event refers to
    Counters counters_;
    uint64_t forgotten_ = 0; ///< of running_
};

} // namespace telemetry
