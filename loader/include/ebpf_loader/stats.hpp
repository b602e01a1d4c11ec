// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/record.h>
#include <ebpf_loader/api.hpp>

namespace ebpf_loader {

/// What became of the records of one CPU's slot, since the start.
struct SlotStats {
    uint64_t emitted = 0;
    std::array<uint64_t, EBT_LOSSES> lost{};
    uint64_t spilled = 0;   ///< vital records that found their own perf buffer full, lost or not
    uint64_t last_lost = 0; ///< ebt_header.sequence of the last record that was lost; 0: not known
};

/// Counters, all since the start. seen == filtered + emitted + sum(lost) whenever no
/// hook is running, exactly so once detached.
struct EngineStats {
    uint64_t seen = 0;
    uint64_t filtered = 0;
    uint64_t emitted = 0;
    std::array<uint64_t, EBT_LOSSES> lost{};
    uint64_t missed_runs = 0; ///< program runs the kernel skipped (recursion), from its own statistics
    uint64_t unseen_operations =
        0; ///< io_uring operations that do what a selected call does, but have no record
    std::vector<SlotStats> slots; ///< at [cpu * EBT_SLOTS + slot]: what adds up to `emitted` and `lost`
};
EBPF_LOADER_API std::string_view loss_name(ebt_loss cause); ///< "buffer_full", "scratch_busy", ...

} // namespace ebpf_loader
