// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include <ebpf_loader/engine.hpp>

#include "telemetry/account/heartbeat.hpp"
#include "telemetry/account/summary.hpp"
#include "telemetry/cli/options.hpp"
#include "telemetry/health/lag.hpp"
#include "telemetry/health/metrics.hpp"
#include "telemetry/health/metrics_file.hpp"
#include "telemetry/health/server.hpp"

namespace telemetry {

/// What a run says of its own health: heartbeats in the stream, the file of metrics, and what it serves.
class HealthReport {
  public:
    using Clock = std::chrono::steady_clock;

    HealthReport(const Options& options, const ebpf_loader::Engine& engine);

    /// Capture has begun. Before rights are given up.
    void begin(uint64_t wall_ns, Clock::time_point now);
    /// A batch of records was handed over; both times in ns of the records' clock.
    void note_lag(uint64_t now, uint64_t oldest) { lag_.note(now > oldest ? now - oldest : 0); }
    /// report() has something to do.
    bool is_due(Clock::time_point now, bool is_final);
    /// Gives the server its new pages, and the file, if that is due. Returns the heartbeat that is.
    std::optional<Heartbeat> report(const Summary& summary, const ebpf_loader::EngineStats& kernel,
                                    uint64_t wall_ns, std::optional<ReloadCounts> reloads);

  private:
    void put_in_file(const std::string& page);

    const std::optional<std::chrono::milliseconds> heartbeat_every_;
    const std::chrono::milliseconds metrics_every_;
    const std::optional<std::string> metrics_path_, listen_;
    RunFacts run_;
    Lag lag_;
    std::optional<MetricsFile> file_;
    std::optional<HealthServer> server_;
    Clock::time_point next_heartbeat_ = Clock::time_point::max(), next_metrics_ = Clock::time_point::max();
    bool is_heartbeat_due_ = false, are_metrics_due_ = false;
    uint64_t heartbeats_ = 0;
};

} // namespace telemetry
