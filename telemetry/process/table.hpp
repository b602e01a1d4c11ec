// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "telemetry/process/stored_image.hpp"

namespace telemetry {

/// A process for all time: its id is used again, its start time is not.
struct ProcessKey {
    uint32_t pid = 0;
    uint64_t start_time_ns = 0;
    bool operator==(const ProcessKey&) const = default;
};

/// A hash table of processes with a fixed number of entries. When it is full, a new
/// process replaces one that has ended, else the one longest unused.
class ProcessTable {
  public:
    struct Entry {
        ProcessKey key;
        uint32_t exec_id = 0;
        bool has_ended = false;
        uint64_t end_time_ns = 0;
        std::shared_ptr<const StoredImage> image; ///< null: it could not be had

      private:
        friend class ProcessTable;
        uint32_t next_in_bucket = 0;
        uint32_t older = 0, newer = 0;
    };

    explicit ProcessTable(size_t capacity);

    /// Null when it is not there. Counts as a use.
    Entry* find(const ProcessKey& key);
    /// A new entry; the key must not be there. May evict any other entry.
    Entry& insert(const ProcessKey& key);
    /// The process ended: its entry goes first when room is needed, or by expire().
    void end(Entry& entry, uint64_t time_ns);
    /// Removes what ended before `time_ns`, and the oldest of what ended beyond `keep`.
    void expire(uint64_t time_ns, size_t keep);
    /// Removes one to make room; false when there is none.
    bool evict();
    /// Holds no more than so many from now on: never more than it was made for.
    void limit(size_t capacity);

    size_t size() const { return used_; }
    uint64_t evicted() const { return evicted_; }

  private:
    // Entries refer to each other by index. Two head the lists of the living and the
    // ended, oldest first; index 0 also ends a bucket's chain.
    static constexpr uint32_t living = 0, ended = 1, first_entry = 2;

    uint32_t& bucket(const ProcessKey& key);
    uint32_t take_entry();
    void unlink(uint32_t index);
    void append(uint32_t list, uint32_t index);
    void remove(uint32_t index);

    size_t capacity_;
    std::vector<Entry> entries_; ///< reserved at once: addresses stay
    std::vector<uint32_t> buckets_;
    uint64_t seed_;
    uint32_t free_ = 0; ///< head of the chain of free entries
    size_t used_ = 0;
    size_t ended_count_ = 0;
    uint64_t evicted_ = 0;
};

} // namespace telemetry
