// SPDX-License-Identifier: MIT
// Between the engine, which captures what connections to endpoints carry, and the tracker.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "event.hpp"
#include "imds/endpoints.hpp"
#include "imds/segment.hpp"

namespace telemetry::imds {

/// As the kernel side looks for them.
std::vector<ebt_endpoint> kernel_endpoints(const Endpoints& endpoints);

/// True: the event is of kind EBT_STREAM, and `segment` tells what it moved.
bool make_segment(const Event& event, Segment& segment);

/// Is there a connection to an endpoint, in any network namespace that a process is in? True
/// also when nobody can tell. One that is left to itself, without a descriptor, is none.
bool any_connection(const std::string& proc_root, const Endpoints& endpoints);

/// Shuts the engine's gate when the last connection to an endpoint is gone.
class StreamGate {
  public:
    StreamGate(ebpf_loader::Engine& engine, const Endpoints& endpoints, std::string proc_root)
        : engine_(engine), endpoints_(endpoints), proc_root_(std::move(proc_root)) {}

    /// From time to time. Looks at most once a second, and takes little of it.
    void tick();

  private:
    using Clock = std::chrono::steady_clock;

    ebpf_loader::Engine& engine_;
    const Endpoints& endpoints_;
    std::string proc_root_;
    uint64_t closed_at_ = 0;
    Clock::time_point next_{};
};

} // namespace telemetry::imds
