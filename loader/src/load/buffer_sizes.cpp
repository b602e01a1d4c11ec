// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/buffer_sizes.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <unistd.h>

namespace ebpf_loader {
namespace {

constexpr size_t default_ring_bytes = 16 << 20;
constexpr size_t default_perf_bytes = 4 << 20; ///< per CPU, while all together stay below:
constexpr size_t most_perf_bytes = 64 << 20;
constexpr size_t most_buffer_bytes = 1 << 30;

size_t bounded(size_t bytes) {
    return std::clamp(bytes, least_buffer_bytes, most_buffer_bytes);
}

size_t page() {
    return static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

/// Halves what nobody asked for in particular until it fits.
template <typename Memory> size_t shrunk(size_t bytes, size_t room, Memory memory) {
    while (bytes > least_buffer_bytes && memory(bytes) > room)
        bytes /= 2;
    return bytes;
}

} // namespace

BufferSizes::BufferSizes(const EngineOptions& options, size_t cpus)
    : cpus_(std::max<size_t>(cpus, 1)), limit_(options.max_memory), others_(options.other_memory),
      ring_(std::bit_ceil(bounded(options.buffer_bytes ? options.buffer_bytes : default_ring_bytes))),
      perf_(std::bit_floor(bounded(options.buffer_bytes
                                       ? options.buffer_bytes
                                       : std::min(default_perf_bytes, most_perf_bytes / cpus_)))) {
    if (!limit_ || options.buffer_bytes)
        return;
    const size_t room = limit_ - std::min(limit_, others_);
    ring_ = shrunk(ring_, room, ring_memory);
    perf_ = shrunk(perf_, room, [this](size_t bytes) { return perf_memory(bytes); });
}

size_t BufferSizes::memory(bool uses_ring) const {
    const size_t memory = uses_ring ? ring_memory(ring_) : perf_memory(perf_);
    if (!limit_ || others_ + memory <= limit_)
        return memory;
    const size_t least = uses_ring ? ring_memory(least_buffer_bytes) : perf_memory(least_buffer_bytes);
    throw MemoryLimitError("the memory limit, " + std::to_string(limit_) +
                               " bytes, is too low: this process needs " + std::to_string(others_) +
                               " and its buffers " + std::to_string(memory),
                           {.limit = limit_, .besides = others_, .buffers = memory, .least = least});
}

size_t BufferSizes::vital_perf(size_t bytes) {
    return std::max(bytes / 4, least_buffer_bytes);
}

/// The data is mapped twice in a row, and counts as often.
size_t BufferSizes::ring_memory(size_t bytes) {
    return 2 * bytes + 2 * page();
}

size_t BufferSizes::perf_memory(size_t bytes) const {
    return cpus_ * (bytes + vital_perf(bytes) + 2 * page());
}

} // namespace ebpf_loader
