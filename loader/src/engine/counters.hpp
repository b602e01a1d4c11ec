// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/stats.hpp>

#include "loader/src/read/record_source.hpp"

#include <span>
#include <vector>

namespace ebpf_loader {

class LoadedTier;

/// All slots as they are by now; zeroes for one that cannot be read.
std::vector<ebt_slot> read_slots(const LoadedTier& tier);

/// What the slots say by now.
EngineStats read_counters(const LoadedTier& tier);

/// The same once no hook is at work any more; nothing is selected. One that was when the
/// selection went has microseconds to go.
EngineStats settled_counters(const LoadedTier& tier);

/// The same by CPU, of what went into buffers or should have.
std::vector<CpuOutput> read_output(const LoadedTier& tier);

void subtract(EngineStats& from, const EngineStats& what);

/// So many that the slots count as emitted were lost.
void take_back(std::span<SlotStats> slots, uint64_t lost);

} // namespace ebpf_loader
