// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace ebpf_loader {

/// Takes records out of the kernel's buffers, oldest first.
class Reader {
  public:
    using Handler = std::function<void(std::span<const std::byte>)>;
    virtual ~Reader() = default;
    /// Hands over what waits; returns how many records. With `all`, also those whose
    /// order towards records still to come is not certain yet: for the end.
    virtual size_t drain(const Handler& handler, bool all) = 0;
    /// Sleeps until a good deal waits or the time is over.
    virtual void wait(std::chrono::milliseconds timeout) = 0;
    /// Records that found no room, as far as the buffers themselves tell of them.
    virtual uint64_t lost() const { return 0; }
};

/// One ring for all CPUs, of `bytes` (a power of two of pages). Throws Error(resources).
std::unique_ptr<Reader> make_ring_reader(int map_fd, size_t bytes);

/// A perf buffer for each online CPU, of `bytes` each; CPUs that come online get theirs
/// when wait() notices. `boot_clock`: records carry CLOCK_BOOTTIME, else CLOCK_MONOTONIC.
std::unique_ptr<Reader> make_perf_reader(int map_fd, size_t bytes, bool boot_clock);

} // namespace ebpf_loader
