// SPDX-License-Identifier: MIT
#include "application.hpp"

#include <cstdio>

#include <ebpf_loader/error.hpp>

#include "engine_setup.hpp"
#include "exit_status.hpp"
#include "memory_budget.hpp"
#include "signals.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

/// The longest that an event waits when few come: the kernel side wakes nobody for one.
constexpr auto poll_time = 100ms;
constexpr size_t lines_bytes = 64 * 1024;
/// Fewer records than this at a time: there is time to push them out at once.
constexpr size_t few_records = 1024;

} // namespace

Rules load_rules(const Options& options) {
    Rules rules =
        options.rules ? Rules::load(*options.rules) : Rules::parse(Rules::built_in(), "built-in rules");
    log(LogLevel::info, std::to_string(rules.size()) + " rules from " +
                            (options.rules ? *options.rules : "the program itself"));
    for (const std::string& warning : rules.warnings())
        log(LogLevel::warning, warning);
    rules.follow_processes();
    return rules;
}

ebpf_loader::Selection select_events(Rules& rules, const Extension* extension) {
    if (extension)
        rules.follow_all_processes();
    auto selection = rules.compile();
    if (extension)
        extension->select(selection);
    if (selection.empty())
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "the rules select no event: there is nothing to do");
    return selection;
}

Application::Application(const Options& options, std::unique_ptr<Extension> extension)
    : options_(options), extension_(std::move(extension)), rules_(load_rules(options)), outputs_(options),
      engine_(select_events(rules_, extension_.get()), engine_options(options)),
      formatter_(make_formatter(options.format, format_context(engine_))),
      cache_(MemoryBudget::cache(options.max_memory, engine_.buffer_memory())),
      governor_(options, engine_, cache_) {
    lines_.reserve(2 * lines_bytes);
    if (extension_)
        extension_->begin(engine_, format_context(engine_));
    log(LogLevel::info, summary_of(engine_));
}

int Application::run() {
    signals::install();
    decoder_.set_wall_clock_offset(engine_.wall_clock_offset());
    ledger_.begin_behind(engine_.sequences());
    engine_.start();
    cache_.remember_running(); // once nobody can start unseen any more
    if (extension_)
        extension_->started();
    auto now = Clock::now();
    next_second_ = now + 1s;
    end_ = options_.duration ? now + *options_.duration : Clock::time_point::max();
    next_stats_ = options_.stats_every ? now + *options_.stats_every : Clock::time_point::max();
    governor_.begin();
    log(LogLevel::info, "reporting");
    loop();
    governor_.end();
    engine_.stop();
    while (engine_.poll([this](auto record) { take(record); }, 0ms) > 0)
        hand_over();
    if (extension_) {
        extension_->finish();
        take_lines();
    }
    tell_losses();
    outputs_.finish();
    tell_losses(); // those of one output at its end, to the others
    outputs_.finish();
    outputs_usable_ = outputs_.usable() && outputs_usable_;
    print_summary(true);
    return outputs_usable_ ? exit_ok : exit_output;
}

void Application::loop() {
    const ebpf_loader::Engine::RecordHandler handler = [this](auto record) { take(record); };
    while (goes_on()) {
        size_t records = engine_.poll(handler, governor_.longest_wait(poll_time));
        if (extension_) {
            extension_->tick();
            take_lines();
        }
        hand_over();
        if (records < few_records)
            outputs_.flush();
        govern();
    }
}

/// What the time asks for.
void Application::govern() {
    governor_.look();
    const auto now = Clock::now();
    if (now >= next_second_) {
        next_second_ = now + 1s;
        every_second();
    }
    if (now >= next_stats_) {
        next_stats_ = now + *options_.stats_every;
        print_summary(false);
    }
    if (now >= end_)
        governor_.end();
}

bool Application::goes_on() {
    if (signals::take_hangup() && !outputs_.reopen())
        return false; // nothing to open anew: the terminal is gone
    outputs_usable_ = outputs_.usable();
    return outputs_usable_ && !signals::end_asked() && Clock::now() < end_;
}

void Application::take(std::span<const std::byte> record) {
    tell(record);
    if (governor_.count()) [[unlikely]] {
        hand_over();
        govern();
    }
}

/// One record. This is the hot path.
void Application::tell(std::span<const std::byte> record) {
    if (!decoder_.decode(record, event_))
        return ledger_.malformed();
    ledger_.received(event_);
    cache_.enrich(event_);
    const bool is_taken = extension_ && extension_->take(event_);
    if (event_.kind == EBT_STREAM) {
        if (is_taken)
            ledger_.emitted(event_);
        else
            ledger_.filtered();
        return;
    }
    if (!rules_.kernel_decides(event_.row) && !rules_.matches(event_))
        return ledger_.filtered();
    event_.dropped_before = ledger_.emitted(event_);
    formatter_->format(event_, lines_);
    ++lines_events_;
    if (lines_.size() >= lines_bytes)
        hand_over();
}

void Application::take_lines() {
    lines_events_ += extension_->take_lines(lines_);
}

void Application::hand_over() {
    if (lines_.empty())
        return;
    outputs_.write(lines_, lines_events_);
    lines_.clear();
    lines_events_ = 0;
}

void Application::every_second() {
    decoder_.set_wall_clock_offset(engine_.wall_clock_offset()); // clocks are set and slewed
    governor_.check_memory();
    tell_losses();
}

void Application::tell_losses() {
    auto now = wall_clock_ns();
    for (const LossEvent& loss : ledger_.new_losses(engine_.stats(), outputs_.reports(), now))
        formatter_->format(loss, lines_);
    hand_over();
}

void Application::print_summary(bool is_final) {
    if (options_.silent)
        return;
    Summary summary = ledger_.summary(engine_.stats(), outputs_.reports(), is_final);
    summary.field_faults = decoder_.faults();
    summary.cache = cache_.counters();
    summary.cached_processes = cache_.processes();
    summary.cached_bytes = cache_.image_bytes();
    summary.limits = governor_.report();
    std::string text = options_.format == "json" ? summary_json(summary) + "\n" : summary_text(summary);
    fwrite(text.data(), 1, text.size(), stderr);
}

} // namespace telemetry
