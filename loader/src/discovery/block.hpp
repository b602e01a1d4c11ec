// SPDX-License-Identifier: LGPL-2.1
// Pieces of kernel memory, and the places in them where known values stand.
#pragma once
#include "loader/src/arch/machine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace ebpf_loader::discovery {

/// A copy of kernel memory from `address` on.
struct Block {
    uint64_t address = 0;
    std::vector<std::byte> bytes;

    size_t size() const { return bytes.size(); }
    bool has(size_t offset, size_t length) const { return offset <= size() && length <= size() - offset; }
    /// The value at an offset; 0 beyond the end.
    template <typename T> T at(size_t offset) const {
        T value{};
        if (has(offset, sizeof(T)))
            memcpy(&value, bytes.data() + offset, sizeof(T));
        return value;
    }
};

using machine::is_heap_pointer;
using machine::is_kernel_pointer;

/// How far from its start a structure can reach: not beyond what was read of any of these of
/// its kind, nor up to the next one.
size_t reach(const std::vector<const Block*>& blocks);

/// The offsets, in steps, at which `fits` holds, within the reach of the blocks.
template <typename Fits>
std::vector<uint32_t> places_if(const std::vector<const Block*>& blocks, size_t step, Fits fits) {
    std::vector<uint32_t> found;
    const size_t end = reach(blocks);
    for (size_t offset = 0; offset + step <= end; offset += step)
        if (fits(offset))
            found.push_back(static_cast<uint32_t>(offset));
    return found;
}

/// A structure as it was seen, and the value that the field looked for had then.
struct Observation {
    const Block* block;
    uint64_t value;
};

/// The offsets, in steps, at which every observation has its value, as a T.
template <typename T>
std::vector<uint32_t> places(const std::vector<Observation>& observations, size_t step = sizeof(T)) {
    std::vector<const Block*> blocks;
    for (const Observation& observation : observations)
        blocks.push_back(observation.block);
    return places_if(blocks, step, [&](size_t offset) {
        return std::all_of(observations.begin(), observations.end(), [&](const Observation& observation) {
            return observation.block->at<T>(offset) == static_cast<T>(observation.value);
        });
    });
}

} // namespace ebpf_loader::discovery
