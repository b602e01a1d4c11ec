// SPDX-License-Identifier: MIT
#include "telemetry/limits/memory_budget.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

namespace {

size_t left(size_t limit, size_t buffer_bytes) {
    const size_t taken = MemoryBudget::program_bytes + buffer_bytes;
    return std::max(limit > taken ? limit - taken : 0, MemoryBudget::least_cache_bytes);
}

} // namespace

ProcessCache::Limits MemoryBudget::cache(size_t limit, size_t buffer_bytes) {
    ProcessCache::Limits limits;
    if (limit == 0)
        return limits;
    const size_t bytes = left(limit, buffer_bytes);
    // A quarter for the processes themselves, half for their images' texts, an eighth for
    // conversations; the allocator has the rest.
    constexpr size_t process_bytes = 1024;
    limits.processes = std::min(limits.processes, bytes / 4 / process_bytes);
    limits.image_bytes = std::min(limits.image_bytes, bytes / 2);
    limits.grace_processes = std::min(limits.grace_processes, limits.processes / 4);
    return limits;
}

size_t MemoryBudget::conversations(size_t limit, size_t buffer_bytes, size_t usual) {
    return limit == 0 ? usual : std::min(usual, left(limit, buffer_bytes) / 8);
}

size_t resident_memory() {
    const ebpf_loader::UniqueFd file(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    char text[128] = "";
    unsigned long size = 0, resident = 0;
    if (!file || read(file.get(), text, sizeof(text) - 1) <= 0 ||
        sscanf(text, "%lu %lu", &size, &resident) != 2)
        return 0;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace telemetry
