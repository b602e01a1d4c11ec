// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>

#include "loader/src/engine/call_watch.hpp"
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/load/witness/witness_object.hpp"

namespace ebpf_loader {

/// The capabilities that this kernel asks of a running engine, as bits by number: to read and write its maps,
/// and to attach tracepoints or kprobes if it may still do that. `witnesses` may be null.
uint64_t needed_capabilities(const LoadedTier& tier, const CallWatch& watch, const WitnessObject* witnesses);

} // namespace ebpf_loader
