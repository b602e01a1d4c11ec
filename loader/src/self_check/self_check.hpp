// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/read/record_source.hpp"

#include <cstdint>

namespace ebpf_loader::self_check {

/// Lets a loaded tier observe this very process - its identity, files, sockets, children -
/// and compares with what /proc and the process itself know. Leaves the tier attached, as
/// detaching takes longer than all of this, with nothing selected.
///
/// Returns this process's id in the initial pid namespace. Throws Error(offsets) with
/// the name of each field that was wrong.
uint32_t run(LoadedTier& tier, RecordSource& source, const Hooks& hooks, const Offsets& offsets);

} // namespace ebpf_loader::self_check
