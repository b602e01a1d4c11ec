// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/load/buffers/buffer_sizes.hpp"

#include <ebpf_loader/error.hpp>

#include <algorithm>
#include <bit>
#include <string>
#include <unistd.h>

namespace ebpf_loader {
namespace {

constexpr size_t default_ring_bytes = 16 << 20;
constexpr size_t default_perf_bytes = 4 << 20;  ///< per CPU
constexpr size_t most_default_bytes = 64 << 20; ///< of all buffers together, where nobody asked for more
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

Rings rings_for(const EngineOptions& options, size_t cpus) {
    if (!std::has_single_bit(options.cpus_per_ring))
        throw Error(ErrorCode::usage, "the number of CPUs that share a ring buffer is no power of two: " +
                                          std::to_string(options.cpus_per_ring));
    const size_t count = std::bit_ceil((cpus + options.cpus_per_ring - 1) / options.cpus_per_ring);
    const size_t bytes = options.buffer_bytes ? options.buffer_bytes
                                              : std::min(default_ring_bytes, most_default_bytes / count);
    return {.bytes = std::bit_ceil(bounded(bytes)), .count = count, .cpus_each = options.cpus_per_ring};
}

} // namespace

BufferSizes::BufferSizes(const EngineOptions& options, size_t cpus)
    : cpus_(std::max<size_t>(cpus, 1)), limit_(options.max_memory), others_(options.other_memory),
      rings_(rings_for(options, cpus_)),
      perf_(std::bit_floor(bounded(options.buffer_bytes
                                       ? options.buffer_bytes
                                       : std::min(default_perf_bytes, most_default_bytes / cpus_)))) {
    if (!limit_ || options.buffer_bytes)
        return;
    const size_t room = limit_ - std::min(limit_, others_);
    rings_.bytes = shrunk(rings_.bytes, room, [this](size_t bytes) { return ring_memory(bytes); });
    perf_ = shrunk(perf_, room, [this](size_t bytes) { return perf_memory(bytes); });
}

size_t BufferSizes::memory(bool uses_ring) const {
    const size_t memory = uses_ring ? ring_memory(rings_.bytes) : perf_memory(perf_);
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
size_t BufferSizes::ring_memory(size_t bytes) const {
    return rings_.count * (2 * bytes + 2 * page());
}

size_t BufferSizes::perf_memory(size_t bytes) const {
    return cpus_ * (bytes + vital_perf(bytes) + 2 * page());
}

} // namespace ebpf_loader
