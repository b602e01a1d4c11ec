// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/abi/record.h>

#include "loader/src/read/record_source.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace ebpf_loader {

/// ebt_header.time; 0 of what is too short for a record.
inline uint64_t time_of(std::span<const std::byte> record) {
    uint64_t time = 0;
    if (record.size() >= sizeof(ebt_header))
        std::memcpy(&time, record.data() + offsetof(ebt_header, time), sizeof(time));
    return time;
}

/// Hands over the records of several buffers in the order of their times; of those of the same time first
/// that of the buffer which was added first. A record takes as many comparisons as twice the logarithm of the
/// number of buffers.
///
/// A Buffer has next(), the oldest record or nothing, take_record() and give_back(), as CpuBuffer.
template <typename Buffer> class Merge {
  public:
    /// Forgets the buffers that were added.
    void clear() { heap_.clear(); }

    /// Adds one whose records up to now are known; next() shows the first. One without records is left out.
    void add(Buffer& buffer) {
        if (const auto record = buffer.next(); !record.empty()) {
            heap_.push_back({time_of(record), heap_.size(), &buffer});
            sift_up();
        }
    }

    /// Hands over what is from before `until`; returns how many records. All buffers get room back.
    size_t drain(const RecordSource::Handler& handler, uint64_t until) {
        constexpr size_t give_back_each = 64; ///< records: seldom enough not to fight over the cache line
        size_t records = 0;
        while (!heap_.empty() && heap_[0].time < until) {
            Buffer& buffer = *heap_[0].buffer;
            handler(buffer.next());
            buffer.take_record();
            if (++records % give_back_each == 0)
                buffer.give_back();
            next_of_first(buffer);
        }
        for (const Waiting& waiting : heap_)
            waiting.buffer->give_back();
        return records;
    }

  private:
    /// A buffer with its oldest record's time.
    struct Waiting {
        uint64_t time;
        size_t order;
        Buffer* buffer;
        bool operator<(const Waiting& other) const {
            return time != other.time ? time < other.time : order < other.order;
        }
    };

    void next_of_first(Buffer& buffer) {
        if (const auto record = buffer.next(); !record.empty()) {
            heap_[0].time = time_of(record);
        } else {
            buffer.give_back();
            heap_[0] = heap_.back();
            heap_.pop_back();
        }
        sift_down();
    }

    void sift_up() {
        for (size_t at = heap_.size() - 1; at > 0 && heap_[at] < heap_[(at - 1) / 2]; at = (at - 1) / 2)
            std::swap(heap_[at], heap_[(at - 1) / 2]);
    }

    void sift_down() {
        for (size_t at = 0, child = 1; child < heap_.size(); at = child, child = 2 * at + 1) {
            if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child])
                ++child;
            if (!(heap_[child] < heap_[at]))
                return;
            std::swap(heap_[at], heap_[child]);
        }
    }

    std::vector<Waiting> heap_; ///< the oldest first, each before its two children
};

} // namespace ebpf_loader
