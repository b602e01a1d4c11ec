// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include <ebpf_loader/engine.hpp>

#include "imds/app/tracker.hpp"
#include "imds/app/transfers.hpp"
#include "imds/output/formatter.hpp"

namespace telemetry::imds {

/// From the engine's events to ImdsEvents: the tracker, and the gate that it keeps at the engine.
/// imds-tracker and ebpf_telemetry --imds are both built on it.
class ImdsPipeline {
  public:
    struct Options {
        Endpoints endpoints = Endpoints::built_in();
        std::string proc_root = "/proc";
        size_t max_memory = 0;    ///< of the whole program, in bytes; 0: no limit
        bool unsafe = false;      ///< leaves secrets in command lines
        bool user_stacks = false; ///< stacks come with the events, and are symbolized
    };

    /// Adds what the kernel side must capture. Processes that come and go must be selected too.
    static void select(const Options& options, ebpf_loader::Selection& selection);

    /// The engine must outlive it. `handler` is called with every event, within take(), tick() and
    /// finish().
    ImdsPipeline(const Options& options, ebpf_loader::Engine& engine, ImdsTracker::Handler handler);

    /// Capture has begun: reads which processes run.
    void started() { tracker_.remember_running(); }
    /// Every event, with its image. True when it carries traffic with an endpoint.
    bool take(const Event& event);
    /// To be called at least each 100 ms.
    void tick();
    /// No more events will come.
    void finish() { tracker_.finish(); }

    ImdsTracker::Counters counters() const { return tracker_.counters(); }
    size_t endpoints() const { return tracker_.endpoints().all().size(); }

  private:
    ImdsTracker tracker_;
    CaptureGate gate_;
};

/// What formatters need to know in both programs.
ImdsFormatOptions format_options(const FormatContext& context);

} // namespace telemetry::imds
