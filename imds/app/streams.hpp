// SPDX-License-Identifier: MIT
// Between the engine, which captures what connections to endpoints carry, and the tracker.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "imds/app/tracker.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/segment.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// As the kernel side looks for them.
std::vector<ebt_endpoint> kernel_endpoints(const Endpoints& endpoints);

/// True: the event is of kind EBT_TRANSFER, and `segment` tells what it moved.
bool make_segment(const Event& event, Segment& segment);

/// Looks which connections to endpoints are open. Tells the tracker which have ended, and shuts
/// the engine's gate when the last one is gone.
class StreamGate {
  public:
    StreamGate(ebpf_loader::Engine& engine, ImdsTracker& tracker, std::string proc_root)
        : engine_(engine), tracker_(tracker), proc_root_(std::move(proc_root)) {}

    /// From time to time. Looks at most once a second, and takes little of it.
    void tick();

  private:
    using Clock = std::chrono::steady_clock;

    ebpf_loader::Engine& engine_;
    ImdsTracker& tracker_;
    std::string proc_root_;
    uint64_t closed_at_ = 0;
    Clock::time_point next_{};
};

} // namespace telemetry::imds
