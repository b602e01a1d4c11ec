// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>

#include <ebpf_loader/engine.hpp>

namespace ebpf_loader {

constexpr size_t least_buffer_bytes = 128 << 10; ///< two of the largest records

/// How large the buffers are, and how much of this process's memory that takes.
class BufferSizes {
  public:
    BufferSizes(const EngineOptions& options, size_t cpus);

    size_t ring() const { return ring_; }
    /// Of each CPU. Vital records have a quarter of it, besides: theirs come in bursts.
    size_t perf() const { return perf_; }
    size_t vital_perf() const { return vital_perf(perf_); }

    /// Throws Error(resources), naming the least limit that would do, when it is too much.
    size_t memory(bool uses_ring) const;

  private:
    static size_t vital_perf(size_t bytes);
    static size_t ring_memory(size_t bytes);
    size_t perf_memory(size_t bytes) const;

    const size_t cpus_, limit_, others_;
    size_t ring_, perf_;
};

} // namespace ebpf_loader
