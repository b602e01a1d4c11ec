// SPDX-License-Identifier: MIT
// What every program does with its options before and around a run of the engine.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include <ebpf_loader/engine.hpp>

#include "telemetry/cli/options.hpp"
#include "telemetry/output/formatter.hpp"

namespace telemetry {

/// Finds the kernel's offsets, too. Throws ebpf_loader::Error.
ebpf_loader::EngineOptions engine_options(const Options& options);
/// What outputs and the tables of --summary and --top may take at most, in bytes: with --max-memory it is
/// kept from buffers and caches.
size_t memory_beside_caches(const Options& options);
/// The context of this run: the agent is the same in all calls.
FormatContext format_context(const ebpf_loader::Engine& engine, const Options& options);
/// "tier tp, perf buffers of 1024 KiB, kernel offsets from ...": for the log.
std::string summary_of(const ebpf_loader::Engine& engine);

/// Prints which tiers load on this kernel, and which one a run with this selection would take, to standard
/// output. Returns the exit status: a failure when no tier loads.
int probe(const Options& options, const std::function<ebpf_loader::Selection()>& selection);

/// ns since the epoch.
uint64_t wall_clock_ns();

} // namespace telemetry
