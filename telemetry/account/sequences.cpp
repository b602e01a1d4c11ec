// SPDX-License-Identifier: MIT
#include "telemetry/account/sequences.hpp"

#include <ebpf_loader/abi/plan.h>

#include <algorithm>
#include <utility>

namespace telemetry {

Sequences::Lane* Sequences::lane(uint16_t cpu, uint16_t slot) {
    if (slot >= EBT_SLOTS) // no such thing; a damaged record must not make a table of gigabytes
        return nullptr;
    size_t index = size_t{cpu} * EBT_SLOTS + slot;
    if (index >= lanes_.size())
        lanes_.resize(index + 1);
    return &lanes_[index];
}

void Sequences::begin_behind(std::span<const uint64_t> last) {
    lanes_.resize(std::max(lanes_.size(), last.size()));
    for (size_t i = 0; i < last.size(); ++i)
        lanes_[i].last = last[i];
}

void Sequences::note(uint16_t cpu, uint16_t slot, uint64_t sequence) {
    Lane* lane = this->lane(cpu, slot);
    if (!lane)
        return;
    if (lane->last == unknown)
        lane->last = sequence - 1;
    if (sequence > lane->last) {
        if (uint64_t gap = sequence - lane->last - 1) {
            lane->gap += gap;
            missing_ += gap;
            lane->note_range(lane->last + 1, sequence - 1);
        }
        lane->last = sequence;
    } else { // late, and counted as missing before
        lane->gap -= std::min<uint64_t>(lane->gap, 1);
        missing_ -= std::min<uint64_t>(missing_, 1);
    }
}

void Sequences::Lane::note_range(uint64_t from, uint64_t to) {
    if (to <= returned)
        return;
    if (missing_first <= returned)
        missing_first = std::max(from, returned + 1);
    missing_last = to;
}

std::optional<Sequences::Range> Sequences::take_range(size_t index, uint64_t last_lost) {
    if (index >= lanes_.size())
        lanes_.resize(index + 1);
    Lane& lane = lanes_[index];
    const uint64_t heard = lane.last == unknown ? 0 : lane.last;
    const uint64_t first =
        lane.missing_first > lane.returned ? lane.missing_first : std::max(heard, lane.returned) + 1;
    const uint64_t last = std::max(last_lost, lane.missing_last);
    if (last < first)
        return std::nullopt;
    lane.returned = last;
    return Range{first, last};
}

uint64_t Sequences::take_gap(uint16_t cpu, uint16_t slot) {
    Lane* lane = this->lane(cpu, slot);
    return lane ? std::exchange(lane->gap, 0) : 0;
}

} // namespace telemetry
