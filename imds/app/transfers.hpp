// SPDX-License-Identifier: MIT
// Connects the engine, which captures transfers, with the tracker.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "imds/app/tracker.hpp"
#include "imds/model/endpoints.hpp"
#include "imds/model/transfer.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// The endpoints in the form that the eBPF programs use.
std::vector<ebt_endpoint> kernel_endpoints(const Endpoints& endpoints);

/// Fills in `transfer` from an event of the kind EBT_TRANSFER; returns false for other events.
bool make_transfer(const Event& event, Transfer& transfer);

/// Lists the open connections to endpoints: the tracker learns from that which have ended, and when none is
/// open, the engine is asked to stop examining calls that move bytes.
class CaptureGate {
  public:
    CaptureGate(ebpf_loader::Engine& engine, ImdsTracker& tracker, std::string proc_root)
        : engine_(engine), tracker_(tracker), proc_root_(std::move(proc_root)) {}

    /// To be called often. Lists the connections at most once a second, and less often if listing takes long.
    void tick();
    /// There are other endpoints: connections to these may be open.
    void look_again() { closed_at_ = 0; }

  private:
    using Clock = std::chrono::steady_clock;

    ebpf_loader::Engine& engine_;
    ImdsTracker& tracker_;
    std::string proc_root_;
    uint64_t closed_at_ = 0;
    Clock::time_point next_{};
};

} // namespace telemetry::imds
