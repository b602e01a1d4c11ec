// SPDX-License-Identifier: MIT
// Between the engine, which captures what connections to endpoints carry, and the tracker.
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

/// The endpoints in the form of the kernel side.
std::vector<ebt_endpoint> kernel_endpoints(const Endpoints& endpoints);

/// True: the event is of kind EBT_TRANSFER, and `transfer` is what it moved.
bool make_transfer(const Event& event, Transfer& transfer);

/// Lists which connections to endpoints are open, so that the tracker knows which have ended, and
/// closes the engine's gate when there is no more connection.
class CaptureGate {
  public:
    CaptureGate(ebpf_loader::Engine& engine, ImdsTracker& tracker, std::string proc_root)
        : engine_(engine), tracker_(tracker), proc_root_(std::move(proc_root)) {}

    /// To be called often. Lists the connections at most once a second, and uses little of it.
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
