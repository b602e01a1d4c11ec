// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace telemetry {

/// What was counted of something.
struct Counts {
    uint64_t events = 0, failed = 0, bytes = 0;

    Counts& operator+=(const Counts& more) {
        events += more.events;
        failed += more.failed;
        bytes += more.bytes;
        return *this;
    }
    bool operator==(const Counts&) const = default;
};

/// Which of any number of things make the most events, in memory and time that do not depend on how many
/// there are (the Space-Saving algorithm, Metwally 2005, in buckets of eight): a new thing takes the place of
/// the one with the fewest events in its bucket, and inherits their number as what it may have had before. So
/// what makes more than an eighth of the events of its bucket is never forgotten, however many others come.
///
/// A Label has a Key, which may be a view; `hash_of(key)`, `is(key)` and `take(key)`; and `most_heap_bytes`,
/// what it may hold besides itself.
template <class Label> class HeavyHitters {
  public:
    using Key = typename Label::Key;
    struct Entry {
        Counts counts;        ///< since it has this place; no more than there were
        uint64_t earlier = 0; ///< events that it may have had before; 0: the counts are exact
        Label label;

        uint64_t weight() const { return counts.events + earlier; }
    };

    explicit HeavyHitters(size_t most) : hashes_((most + ways - 1) / ways), entries_(hashes_.size() * ways) {}

    /// What a table of `most` things takes, in bytes, whatever they are called.
    static constexpr size_t most_bytes(size_t most) {
        return (most + ways - 1) / ways * ways * (sizeof(uint64_t) + sizeof(Entry) + Label::most_heap_bytes);
    }

    /// Adds to what is known of a thing, and returns it.
    Entry& count(const Key& key, const Counts& more, uint64_t earlier = 0) {
        const uint64_t hash = Label::hash_of(key) | 1; // 0 is an empty place
        const size_t bucket = (hash >> 8) % hashes_.size();
        std::array<uint64_t, ways>& hashes = hashes_[bucket];
        Entry* const entries = &entries_[bucket * ways];
        for (size_t i = 0; i < ways; ++i)
            if (hashes[i] == hash && entries[i].label.is(key)) [[likely]] {
                entries[i].counts += more;
                entries[i].earlier += earlier;
                return entries[i];
            }
        const size_t at = place_in(hashes, entries);
        Entry& entry = entries[at];
        if (hashes[at] == 0)
            ++size_;
        else
            ++replaced_;
        entry.earlier = earlier + (hashes[at] == 0 ? 0 : entry.weight());
        entry.counts = more;
        entry.label.take(key);
        hashes[at] = hash;
        return entry;
    }

    /// Calls `visit` with each entry.
    template <class Visit> void for_each(Visit visit) const {
        for (size_t i = 0; i < entries_.size(); ++i)
            if (hashes_[i / ways][i % ways] != 0)
                visit(entries_[i]);
    }

    void clear() {
        for (auto& bucket : hashes_)
            bucket.fill(0);
        size_ = replaced_ = 0;
    }

    size_t size() const { return size_; }
    size_t room() const { return entries_.size(); }
    uint64_t replaced() const { return replaced_; } ///< how often one took another's place

  private:
    static constexpr size_t ways = 8;

    static size_t place_in(const std::array<uint64_t, ways>& hashes, const Entry* entries) {
        size_t least = 0;
        for (size_t i = 0; i < ways; ++i) {
            if (hashes[i] == 0)
                return i;
            if (entries[i].weight() < entries[least].weight())
                least = i;
        }
        return least;
    }

    std::vector<std::array<uint64_t, ways>> hashes_; ///< those of a bucket lie in one line of the cache
    std::vector<Entry> entries_;
    size_t size_ = 0;
    uint64_t replaced_ = 0;
};

} // namespace telemetry
