// SPDX-License-Identifier: MIT
#include "imds/tracker_application.hpp"

#include <cstdio>

#include <ebpf_loader/error.hpp>

#include "engine_setup.hpp"
#include "exit_status.hpp"
#include "imds/tracker_stats.hpp"
#include "memory_budget.hpp"
#include "signals.hpp"

namespace telemetry::imds {

namespace {

using namespace std::chrono_literals;

constexpr auto poll_time = 100ms;
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
      gate_(engine_, tracker_, options.proc_root),
      cache_(MemoryBudget::cache(options.common.max_memory, engine_.buffer_memory()),
             Procfs(options.proc_root)),
      governor_(options.common, engine_, cache_) {
    const FormatContext context = format_context(engine_);
    reporter_.begin(context);
    losses_ = make_formatter(options.common.format, context);
    log(LogLevel::info,
        summary_of(engine_) + ", " + std::to_string(tracker_.endpoints().all().size()) + " endpoints");
}

int TrackerApplication::run() {
    signals::install();
    decoder_.set_wall_clock_offset(engine_.wall_clock_offset());
    engine_.start();
    cache_.remember_running();
    tracker_.remember_running();
    const auto now = Clock::now();
    const auto after = [&](const auto& time) { return time ? now + *time : Clock::time_point::max(); };
    next_second_ = now + 1s;
    end_ = after(options_.common.duration);
    next_stats_ = after(options_.common.stats_every);
    next_summary_ = after(options_.summary_every);
    governor_.begin();
    log(LogLevel::info, "reporting");
    loop();
    governor_.end();
    engine_.stop();
    while (engine_.poll([this](auto record) { take(record); }, 0ms) > 0)
        reporter_.hand_over();
    tracker_.finish();
    tell_losses();
    reporter_.finish();
    outputs_usable_ = reporter_.usable() && outputs_usable_;
    print_stats(true);
    if (options_.summary)
        print_summary();
    return outputs_usable_ ? exit_ok : exit_output;
}

void TrackerApplication::loop() {
    const ebpf_loader::Engine::RecordHandler handler = [this](auto record) { take(record); };
    const bool is_urgent = options_.user_stack_trace && !engine_.uses_ring_buffer();
    while (goes_on()) {
        engine_.poll(handler, governor_.longest_wait(is_urgent ? poll_time_for_stacks : poll_time));
        tracker_.tick(wall_clock_ns());
        gate_.tick();
        reporter_.hand_over();
        reporter_.flush();
        governor_.look();
        const auto now = Clock::now();
        if (now >= next_second_) {
            next_second_ = now + 1s;
            every_second();
        }
        if (now >= next_stats_) {
            next_stats_ = now + *options_.common.stats_every;
            print_stats(false);
        }
        if (now >= next_summary_) {
            next_summary_ = now + *options_.summary_every;
            print_summary();
        }
    }
}

bool TrackerApplication::goes_on() {
    if (signals::take_hangup() && !reporter_.reopen())
        return false; // nothing to open anew: the terminal is gone
    outputs_usable_ = reporter_.usable();
    return outputs_usable_ && !signals::end_asked() && Clock::now() < end_;
}

void TrackerApplication::take(std::span<const std::byte> record) {
    track(record);
    if (governor_.count()) [[unlikely]] {
        reporter_.hand_over();
        governor_.look();
    }
}

/// One record: where the engine's records become what the tracker takes.
void TrackerApplication::track(std::span<const std::byte> record) {
    if (!decoder_.decode(record, event_))
        return ledger_.malformed();
    ledger_.received(event_);
    cache_.enrich(event_);
    tracker_.take(event_);
    Segment segment;
    const bool is_ours = make_segment(event_, segment) && tracker_.take(segment);
    if (is_ours)
        ledger_.emitted(event_);
    else
        ledger_.filtered();
}

void TrackerApplication::every_second() {
    decoder_.set_wall_clock_offset(engine_.wall_clock_offset()); // clocks are set and slewed
    governor_.check_memory();
    tell_losses();
}

void TrackerApplication::tell_losses() {
    std::string lines;
    for (const LossEvent& loss : ledger_.new_losses(engine_.stats(), reporter_.reports(), wall_clock_ns()))
        losses_->format(loss, lines);
    reporter_.put_lines(lines);
    reporter_.hand_over();
}

void TrackerApplication::print_stats(bool is_final) {
    if (options_.common.silent)
        return;
    Summary summary = ledger_.summary(engine_.stats(), reporter_.reports(), is_final);
    summary.cache = cache_.counters();
    summary.cached_processes = cache_.processes();
    summary.cached_bytes = cache_.image_bytes();
    summary.limits = governor_.report();
    const bool is_json = options_.common.format == "json";
    std::string text = is_json ? summary_json(summary) + '\n' : summary_text(summary);
    text += tracker_stats(tracker_.counters(), is_json);
    fwrite(text.data(), 1, text.size(), stderr);
}

void TrackerApplication::print_summary() {
    if (options_.common.silent)
        return;
    const bool is_json = options_.common.format == "json";
    const std::string text = is_json ? reporter_.summary().json() : reporter_.summary().text();
    fwrite(text.data(), 1, text.size(), stderr);
}

} // namespace telemetry::imds
