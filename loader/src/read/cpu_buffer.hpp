// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>
#include <cstdint>
#include <ebpf_loader/unique_fd.hpp>
#include <linux/perf_event.h>
#include <span>
#include <string>
#include <vector>

#include "loader/src/base/bpf_ptr.hpp"
#include "loader/src/read/record_source.hpp"

namespace ebpf_loader {

/// The event that a perf buffer of this size belongs to; invalid: see errno.
UniqueFd open_buffer_event(int cpu, size_t bytes);

/// One CPU's perf buffer. Records are looked at in place; one that wraps is copied first.
class CpuBuffer {
  public:
    /// Takes what open_buffer_event() returned. Throws Error(resources).
    CpuBuffer(UniqueFd fd, int map_fd, int cpu, size_t bytes, int epoll_fd);
    /// Notes how far the kernel has written: what next() may return until the next call.
    void refresh();
    /// The oldest record that take() has not taken; empty if there is none. Passes over perf records that are
    /// no samples (of losses, say), which it counts.
    std::span<const std::byte> next();
    bool is_empty() { return next().empty() && tail_ == head_; }
    /// Takes the record that next() returned.
    void take_record() {
        take();
        ++count_.taken;
    }
    /// Gives the room of what was taken back to the kernel.
    void give_back();
    bool half_full() const { return head_ - tail_ > size_ / 2; }
    BufferCount count() const { return count_; }
    /// Did a record have to find no room at some time since the last call?
    bool was_full();

    /// Lets the kernel write to it again, where another process has taken it out of the map, or disabled or
    /// paused it. False: its CPU has been offline, which ends a buffer.
    bool restore();

  private:
    const std::byte* at(uint64_t position, size_t bytes);
    void take();
    uint64_t time_running() const;
    bool enable();

    UniqueFd fd_;
    int map_fd_;
    int cpu_;
    Mapping map_;
    perf_event_mmap_page* control_ = nullptr;
    const std::byte* data_ = nullptr;
    size_t size_;
    uint64_t head_ = 0, tail_ = 0;
    uint64_t tail_then_ = 0;            ///< when was_full() was last asked
    BufferCount count_;                 ///< `lost`: before the last one that was read
    std::span<const std::byte> oldest_; ///< what next() returned, until it is taken
    size_t current_ = 0;                ///< bytes of that record, its header included
    std::vector<std::byte> straight_;
};

/// Throws: what cannot be done with the buffer of a CPU, by errno.
[[noreturn]] void fail_buffer(const std::string& what, int cpu);

} // namespace ebpf_loader
