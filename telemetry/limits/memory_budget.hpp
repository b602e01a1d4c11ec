// SPDX-License-Identifier: MIT
// What --max-memory leaves to each part of the program.
#pragma once
#include <cstddef>

#include "telemetry/process/cache.hpp"

namespace telemetry {

constexpr size_t mebibyte = size_t{1} << 20;

struct MemoryBudget {
    /// Measured: the program, its libraries, its heap before caches fill, lines on their way to outputs, and
    /// the maps it shares with the kernel's programs besides the buffers.
    static constexpr size_t program_bytes = 22 * mebibyte;
    static constexpr size_t least_cache_bytes = 4 * mebibyte;

    /// What is needed besides the kernel's buffers, at least.
    static constexpr size_t besides_buffers() { return program_bytes + least_cache_bytes; }
    /// The caches get what the program and the buffers leave of `limit`; 0: no limit.
    static ProcessCache::Limits cache(size_t limit, size_t buffer_bytes);
    /// What conversations that are under way may hold, up to `usual`.
    static size_t conversations(size_t limit, size_t buffer_bytes, size_t usual);
};

/// Of this process, in bytes, from /proc; 0 when it cannot be read.
size_t resident_memory();

} // namespace telemetry
