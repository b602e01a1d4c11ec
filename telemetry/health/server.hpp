// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <thread>

#include "telemetry/health/listener.hpp"

namespace telemetry {

/// What is served.
struct HealthPages {
    std::string metrics;     ///< in Prometheus's text format
    std::string status_text; ///< for people
    std::string status_json;
};

/// Answers GET /metrics, /healthz, /status and /status.json over HTTP, by a thread of its own. At most 16
/// connections at a time, one request each, which has to be over within 5 s; others wait for theirs.
class HealthServer {
  public:
    /// From here on connections are taken. Throws ebpf_loader::Error(usage).
    explicit HealthServer(const std::string& address);
    ~HealthServer();
    HealthServer(const HealthServer&) = delete;
    HealthServer& operator=(const HealthServer&) = delete;

    /// What is served from now on. /healthz finds all well as long as this is called at least each 30 s.
    void put(HealthPages pages);

  private:
    class Impl;
    const ListenAddress address_;
    std::unique_ptr<Impl> impl_;
    std::thread thread_;
};

/// What a run that listens there answers; for --status. Throws ebpf_loader::Error(usage).
std::string ask_status(const std::string& address, bool is_json);

} // namespace telemetry
