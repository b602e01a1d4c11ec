// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ebpf_loader/stats.hpp>

#include "telemetry/account/summary.hpp"
#include "telemetry/health/lag.hpp"

namespace telemetry {

/// What does not change during a run.
struct RunFacts {
    std::string program, version;
    std::string tier, offsets; ///< "raw_tp"; where the kernel offsets are from
    std::string kernel;        ///< its release
    uint64_t start_ns = 0;     ///< wall clock, ns since the epoch
};

/// Of rules, outputs and options, since the start.
struct ReloadCounts {
    uint64_t done = 0, failed = 0;
};

/// What the metrics are made of.
struct Health {
    const RunFacts& run;
    const Summary& summary;
    const ebpf_loader::EngineStats& kernel;
    const Lag& lag;
    std::chrono::nanoseconds cpu{}; ///< of all threads
    size_t resident_bytes = 0;
    std::optional<ReloadCounts> reloads = std::nullopt; ///< none: the program reloads nothing
    uint64_t now_ns = 0;                                ///< wall clock
};

/// In the text format of Prometheus, version 0.0.4, which node_exporter's textfile collector reads.
std::string prometheus_text(const Health& health);

} // namespace telemetry
