// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/read/record_source.hpp"
#include "loader/src/self_check/mismatches.hpp"

namespace ebpf_loader::self_check {

/// A connection of this process to itself, where there is a network for that: is it reported
/// as one to an endpoint, with what it sends, and the network namespace? The tier is attached
/// and reports this process; its endpoints are as before afterwards, that is, none.
void check_transfers(LoadedTier& tier, RecordSource& source, const Offsets& offsets, Mismatches& mismatches);

} // namespace ebpf_loader::self_check
