// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/read/record_source.hpp"
#include "loader/src/self_check/mismatches.hpp"

#include <ebpf_loader/offsets.hpp>

namespace ebpf_loader::self_check {

/// Lets a Unix socket of this process listen, and compares the name that its record has. Nothing where the
/// offsets do not say where names are.
void check_unix_names(LoadedTier& tier, RecordSource& source, const Offsets& offsets, Mismatches& mismatches);

} // namespace ebpf_loader::self_check
