// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstddef>

#include <ebpf_loader/engine.hpp>

namespace ebpf_loader {

constexpr size_t least_buffer_bytes = 128 << 10; ///< two of the largest records

/// The ring buffers, each of a group of CPUs whose numbers are next to each other.
struct Rings {
    size_t bytes;         ///< of each; a power of two, as the others
    size_t count = 1;     ///< how many
    size_t cpus_each = 1; ///< that a group has, where there are several
};

/// How large the buffers are, and how much of this process's memory that takes.
class BufferSizes {
  public:
    /// `cpus`: that are online. Throws Error(usage) for options.cpus_per_ring that is no power of two.
    BufferSizes(const EngineOptions& options, size_t cpus);

    const Rings& rings() const { return rings_; }
    /// Of each CPU. Vital records have a quarter of it, besides: theirs come in bursts.
    size_t perf() const { return perf_; }
    size_t vital_perf() const { return vital_perf(perf_); }

    /// Throws Error(resources), naming the least limit that would do, when it is too much.
    size_t memory(bool uses_ring) const;

  private:
    static size_t vital_perf(size_t bytes);
    size_t ring_memory(size_t bytes) const;
    size_t perf_memory(size_t bytes) const;

    const size_t cpus_, limit_, others_;
    Rings rings_;
    size_t perf_;
};

} // namespace ebpf_loader
