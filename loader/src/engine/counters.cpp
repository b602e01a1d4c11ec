// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/counters.hpp"

#include "loader/src/load/loaded_tier.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <utility>

namespace ebpf_loader {

namespace {

using Losses = std::array<uint64_t, EBT_LOSSES>;

void add(Losses& to, const Losses& what) {
    for (size_t cause = 0; cause < EBT_LOSSES; cause++)
        to[cause] += what[cause];
}

void subtract(Losses& from, const Losses& what) {
    for (size_t cause = 0; cause < EBT_LOSSES; cause++)
        from[cause] -= what[cause];
}

} // namespace

std::vector<ebt_slot> read_slots(const LoadedTier& tier) {
    const int fd = tier.map_fd("slots");
    std::vector<ebt_slot> slots(static_cast<size_t>(libbpf_num_possible_cpus()) * EBT_SLOTS);
    for (uint32_t index = 0; index < slots.size(); index++)
        if (bpf_map_lookup_elem(fd, &index, &slots[index]))
            slots[index] = {};
    return slots;
}

EngineStats read_counters(const LoadedTier& tier) {
    EngineStats stats;
    for (const ebt_slot& slot : read_slots(tier)) {
        SlotStats& of_slot = stats.slots.emplace_back();
        of_slot.emitted = slot.emitted;
        of_slot.spilled = slot.spilled;
        of_slot.last_lost = slot.last_lost;
        std::copy(std::begin(slot.lost), std::end(slot.lost), of_slot.lost.begin());
        of_slot.lost[EBT_LOST_SCRATCH_BUSY] += slot.missed;
        stats.seen += slot.seen + slot.missed;
        stats.filtered += slot.filtered;
        stats.emitted += slot.emitted;
        add(stats.lost, of_slot.lost);
    }
    stats.missed_runs = tier.missed_runs();
    return stats;
}

EngineStats settled_counters(const LoadedTier& tier) {
    constexpr int most_tries = 1000;
    // Slots are read one after the other while programs run: what adds up by chance does not do so twice
    // with the same numbers.
    EngineStats stats, before;
    for (int i = 0; i < most_tries; ++i) {
        before = std::exchange(stats, read_counters(tier));
        uint64_t done = stats.filtered + stats.emitted;
        for (const uint64_t lost : stats.lost)
            done += lost;
        if (i != 0 && done == stats.seen && stats.seen == before.seen && stats.filtered == before.filtered &&
            stats.emitted == before.emitted)
            break;
        sched_yield();
    }
    return stats;
}

std::vector<CpuOutput> read_output(const LoadedTier& tier) {
    const std::vector<ebt_slot> slots = read_slots(tier);
    std::vector<CpuOutput> counts(slots.size() / EBT_SLOTS);
    for (size_t index = 0; index < slots.size(); index++) {
        CpuOutput& of_cpu = counts[index / EBT_SLOTS];
        of_cpu.emitted += slots[index].emitted;
        of_cpu.full += slots[index].lost[EBT_LOST_BUFFER_FULL];
        of_cpu.without_buffer += slots[index].lost[EBT_LOST_NO_BUFFER];
    }
    return counts;
}

void subtract(EngineStats& from, const EngineStats& what) {
    from.seen -= what.seen;
    from.filtered -= what.filtered;
    from.emitted -= what.emitted;
    subtract(from.lost, what.lost);
    from.missed_runs -= what.missed_runs;
    for (size_t slot = 0; slot < std::min(from.slots.size(), what.slots.size()); slot++) {
        from.slots[slot].emitted -= what.slots[slot].emitted;
        from.slots[slot].spilled -= what.slots[slot].spilled;
        subtract(from.slots[slot].lost, what.slots[slot].lost);
    }
}

void take_back(std::span<SlotStats> slots, uint64_t lost) {
    for (SlotStats& slot : slots) {
        const uint64_t of_slot = std::min(lost, slot.emitted);
        slot.emitted -= of_slot;
        slot.lost[EBT_LOST_BUFFER_FULL] += of_slot;
        lost -= of_slot;
    }
}

} // namespace ebpf_loader
