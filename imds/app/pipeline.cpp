// SPDX-License-Identifier: MIT
#include "imds/app/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/run_end.hpp"
#include "telemetry/limits/memory_budget.hpp"

namespace telemetry::imds {
namespace {

constexpr uint64_t ring_wait_ns = 20'000'000; ///< short: the records of a ring buffer are nearly in order

ImdsTracker::Options tracker_options(const ImdsPipeline::Options& options,
                                     const ebpf_loader::Engine& engine) {
    ImdsTracker::Options tracker;
    tracker.endpoints = options.endpoints;
    tracker.proc_root = options.proc_root;
    tracker.connections.held_bytes = MemoryBudget::conversations(options.max_memory, engine.buffer_memory(),
                                                                 tracker.connections.held_bytes);
    tracker.scrubs = !options.unsafe;
    tracker.symbolizer = options.symbolizer;
    tracker.route = options.route;
    if (engine.uses_ring_buffer())
        tracker.queue.wait_ns = ring_wait_ns;
    return tracker;
}

} // namespace

void ImdsPipeline::select(const Options& options, ebpf_loader::Selection& selection) {
    selection.select_transfers(kernel_endpoints(options.endpoints));
    if (options.user_stacks)
        selection.select_stacks();
}

ImdsPipeline::ImdsPipeline(const Options& options, ebpf_loader::Engine& engine, ImdsTracker::Handler handler)
    : tracker_(tracker_options(options, engine), std::move(handler)),
      gate_(engine, tracker_, options.proc_root) {}

bool ImdsPipeline::take(const Event& event) {
    tracker_.take(event);
    Transfer transfer;
    return make_transfer(event, transfer) && tracker_.take(transfer);
}

void ImdsPipeline::tick() {
    tracker_.tick(wall_clock_ns());
    gate_.tick();
}

void ImdsPipeline::finish() {
    // Detaching may have taken all the time that there is for waiting.
    constexpr std::chrono::milliseconds least(500);
    tracker_.finish(std::max(run_end::at_most(ImdsTracker::usual_patience), least));
}

void ImdsPipeline::change_endpoints(Endpoints next, uint64_t from_ns) {
    tracker_.change_endpoints(std::move(next), from_ns);
    gate_.look_again();
}

ImdsFormatOptions format_options(const FormatContext& context) {
    ImdsFormatOptions options;
    options.context = context;
    return options;
}

} // namespace telemetry::imds
