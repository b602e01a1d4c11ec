// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <ebpf_loader/engine.hpp>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace ebpf_loader {

/// What became of the records of one CPU, as far as its buffer shows.
struct BufferCount {
    uint64_t taken = 0;
    uint64_t lost = 0; ///< found no room

    BufferCount& operator+=(const BufferCount& other) {
        taken += other.taken;
        lost += other.lost;
        return *this;
    }
};

/// What one CPU's programs did with their records, as they have counted.
struct CpuOutput {
    uint64_t emitted = 0;
    uint64_t full = 0;           ///< found no room
    uint64_t without_buffer = 0; ///< found no buffer
};

/// Takes records out of the kernel's buffers, oldest first.
class RecordSource {
  public:
    using Handler = std::function<void(std::span<const std::byte>)>;
    virtual ~RecordSource() = default;
    /// Hands over what waits; returns how many records. With `all`, also those whose
    /// order towards records still to come is not certain yet: for the end.
    virtual size_t drain(const Handler& handler, bool all) = 0;
    /// Sleeps until a good deal waits or the time is over.
    virtual void wait(std::chrono::milliseconds timeout) = 0;
    /// By CPU, of a kernel that does not report losses to the programs themselves; empty where it does.
    virtual std::vector<BufferCount> counts() const { return {}; }
    /// What others have changed of the buffers since the last call.
    virtual std::vector<Tampering> take_tampering() = 0;
};

/// In ring_source.cpp: rings of `bytes` each (a power of two of pages), read in the order of time where there
/// are several. `clock`: that the records' times are of. Throws Error(resources).
std::unique_ptr<RecordSource> make_ring_source(std::span<const int> map_fds, size_t bytes, clockid_t clock);

struct PerfBuffers {
    struct Array {
        int map_fd;
        size_t bytes;
    };
    std::vector<Array> arrays; ///< records of a CPU's slot go to either, in the order of their times
    clockid_t clock;           ///< that the records' times are of
    std::function<std::vector<CpuOutput>()> output; ///< by CPU, by now
};

/// In perf_source.cpp: a perf buffer in each array for each online CPU; one that comes online, or comes back,
/// gets a new one half a second later.
std::unique_ptr<RecordSource> make_perf_source(const PerfBuffers& buffers);

} // namespace ebpf_loader
