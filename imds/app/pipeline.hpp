// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <ebpf_loader/engine.hpp>

#include "imds/app/tracker.hpp"
#include "imds/app/transfers.hpp"
#include "imds/output/formatter.hpp"

namespace telemetry::imds {

/// Turns the engine's events into ImdsEvents, and pauses the capture while no connection is open.
/// imds-tracker and ebpf_telemetry --imds both use it.
class ImdsPipeline {
  public:
    struct Options {
        Endpoints endpoints = Endpoints::built_in();
        std::string proc_root = "/proc";
        size_t max_memory = 0;                  ///< of the whole program, in bytes; 0: no limit
        bool unsafe = false;                    ///< do not remove secrets from command lines
        bool user_stacks = false;               ///< capture stacks of user space
        std::shared_ptr<Symbolizer> symbolizer; ///< of these stacks
        std::shared_ptr<Route> route;           ///< to the helper that reads HTTP
    };

    /// Adds the transfers to `selection`. The caller must also select forks, execs and exits.
    static void select(const Options& options, ebpf_loader::Selection& selection);

    /// The engine must outlive the pipeline. `handler` is called with every ImdsEvent, from within take(),
    /// tick() and finish().
    ImdsPipeline(const Options& options, ebpf_loader::Engine& engine, ImdsTracker::Handler handler);

    /// To be called once capture has begun: reads from /proc which processes run.
    void started() { tracker_.remember_running(); }
    /// To be called with every event, its image included. Returns true for a transfer to or from an endpoint.
    bool take(const Event& event);
    /// To be called at least every 100 ms.
    void tick();
    /// To be called after the last event.
    void finish();
    /// What the helper has read will be there soon: to be called again then.
    bool is_waiting() const { return tracker_.is_waiting(); }

    ImdsTracker::Counters counters() const { return tracker_.counters(); }
    size_t endpoints() const { return tracker_.endpoints().all().size(); }
    /// Once the kernel captures for these, too: they judge transfers from `from_ns` on, of the wall clock.
    void change_endpoints(Endpoints next, uint64_t from_ns);

  private:
    ImdsTracker tracker_;
    CaptureGate gate_;
};

/// The format options that both programs share.
ImdsFormatOptions format_options(const FormatContext& context);

} // namespace telemetry::imds
