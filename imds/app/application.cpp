// SPDX-License-Identifier: MIT
#include "imds/app/application.hpp"

#include <cstdio>

#include "imds/app/stats.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/limits/memory_budget.hpp"

namespace telemetry::imds {

namespace {

using namespace std::chrono_literals;

/// What tells the names of a stack goes with its process. A ring buffer wakes its reader at once.
constexpr auto poll_time_for_stacks = 5ms;

/// Processes for the family tree, and what their calls move over connections to endpoints.
ebpf_loader::Selection select_events(const TrackerOptions& options) {
    ebpf_loader::Selection selection;
    for (const ebt_process_row row : {EBT_ROW_FORK, EBT_ROW_EXEC, EBT_ROW_EXIT})
        selection.select_process(row, {}, true);
    selection.select_streams(kernel_endpoints(load_endpoints(options)));
    if (options.user_stack_trace)
        selection.select_stacks();
    return selection;
}

ImdsTracker::Options tracker_options(const TrackerOptions& options, const ebpf_loader::Engine& engine) {
    ImdsTracker::Options tracker;
    tracker.endpoints = load_endpoints(options);
    tracker.proc_root = options.proc_root;
    tracker.connections.held_bytes = MemoryBudget::conversations(
        options.common.max_memory, engine.buffer_memory(), tracker.connections.held_bytes);
    tracker.scrubs = !options.unsafe;
    tracker.user_stacks = options.user_stack_trace;
    if (engine.uses_ring_buffer())
        tracker.queue.wait_ns = 20'000'000; // one buffer: all but in order
    return tracker;
}

} // namespace

Endpoints load_endpoints(const TrackerOptions& options) {
    Endpoints endpoints = Endpoints::built_in();
    for (const std::string& file : options.endpoints)
        endpoints.add(Endpoints::load(file));
    return endpoints;
}

TrackerApplication::TrackerApplication(const TrackerOptions& options)
    : options_(options), reporter_(options), engine_(select_events(options), engine_options(options.common)),
      tracker_(tracker_options(options, engine_), [this](const ImdsEvent& event) { reporter_.put(event); }),
      gate_(engine_, tracker_, options.proc_root), run_(options.common, engine_, *this, options.proc_root) {
    reporter_.begin(format_context(engine_));
    if (options.user_stack_trace && !engine_.uses_ring_buffer())
        run_.set_poll_time(poll_time_for_stacks);
    log(LogLevel::info,
        summary_of(engine_) + ", " + std::to_string(tracker_.endpoints().all().size()) + " endpoints");
}

int TrackerApplication::run() {
    const int status = run_.run();
    if (options_.summary)
        print_summary();
    return status;
}

void TrackerApplication::started() {
    tracker_.remember_running();
    if (options_.summary_every)
        next_summary_ = Clock::now() + *options_.summary_every;
}

/// Where the engine's events become what the tracker takes.
void TrackerApplication::take(Event& event, Ledger& ledger) {
    tracker_.take(event);
    Segment segment;
    const bool is_ours = make_segment(event, segment) && tracker_.take(segment);
    if (is_ours)
        ledger.emitted(event);
    else
        ledger.filtered();
}

void TrackerApplication::turn(size_t) {
    tracker_.tick(wall_clock_ns());
    gate_.tick();
    reporter_.hand_over();
    reporter_.flush();
    if (const auto now = Clock::now(); now >= next_summary_) {
        next_summary_ = now + *options_.summary_every;
        print_summary();
    }
}

void TrackerApplication::put_stats(Formatter& formatter, std::string& out) const {
    formatter.format(TrackerStats(tracker_.counters()), out);
}

void TrackerApplication::print_summary() {
    if (options_.common.silent)
        return;
    std::string text;
    options_.common.format->make({})->format(reporter_.summary(), text);
    fwrite(text.data(), 1, text.size(), stderr);
}

} // namespace telemetry::imds
