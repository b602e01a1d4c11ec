// SPDX-License-Identifier: MIT
#include "telemetry/app/engine_run.hpp"

#include <cstring>
#include <linux/capability.h>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/exit_status.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/notify.hpp"
#include "telemetry/base/run_end.hpp"
#include "telemetry/base/signals.hpp"
#include "telemetry/limits/memory_budget.hpp"
#include "telemetry/names/names.hpp"
#include "telemetry/output/summary.hpp"
#include "telemetry/sink/diagnostics.hpp"

namespace telemetry {

using namespace std::chrono_literals;

EngineRun::EngineRun(const Options& options, ebpf_loader::Engine& engine, EventConsumer& consumer,
                     const std::string& proc_root, const EnvironmentNames& environment)
    : options_(options), engine_(engine), consumer_(consumer),
      formatter_(options.format->make(format_context(engine, options))),
      cache_(MemoryBudget::cache(options.max_memory, engine.buffer_memory() + memory_beside_caches(options)),
             Procfs(proc_root, environment)),
      governor_({options.max_cpu, options.max_memory}, engine, cache_), health_(options, engine) {
    decoder_.select_environment(environment);
    if (options.fold)
        folds_.emplace(*options.fold);
}

int EngineRun::run() {
    begin();
    loop();
    end();
    if (is_tampered_)
        return exit_tampered;
    return outputs_usable_ ? exit_ok : exit_output;
}

/// What the rules select and programs can do all the same without an event.
static void log_unseen_calls(const ebpf_loader::Engine& engine) {
    const std::span<const std::string_view> calls = engine.unseen_calls();
    if (calls.empty())
        return;
    std::string names;
    for (const std::string_view call : calls)
        names.append(names.empty() ? "" : ", ").append(call);
    log(LogLevel::warning,
        "no hook sees what programs do through io_uring that is like these selected calls: " + names + "; " +
            (engine.counts_unseen_operations() ? "it is counted as unseen_operation, not reported"
                                               : "it is neither reported nor counted"));
}

void EngineRun::begin() {
    signals::install();
    node_ = host_name();
    clock_offset_ = engine_.wall_clock_offset();
    decoder_.set_wall_clock_offset(clock_offset_);
    ledger_.begin_behind(engine_.sequences());
    folds_searches_ = consumer_.folds_searches();
    engine_.start();
    log_unseen_calls(engine_);
    cache_.remember_running(); // once nobody can start unseen any more
    consumer_.started();
    const auto now = Clock::now();
    next_second_ = now + 1s;
    end_ = options_.duration ? now + *options_.duration : Clock::time_point::max();
    if (options_.duration)
        run_end::set(end_);
    next_stats_ = options_.stats_every ? now + *options_.stats_every : Clock::time_point::max();
    governor_.begin();
    health_.begin(wall_clock_ns(), now);
    if (!options_.keeps_rights)
        keep_needed_rights();
    report_health(false);
    log(LogLevel::info, "reporting");
    is_watched_ = notify::is_watched();
    notify::send("READY=1\nSTATUS=reporting");
}

void EngineRun::keep_needed_rights() {
    NeededRights needed = consumer_.needed_rights();
    needed.capabilities |= engine_.needed_capabilities() | capability(CAP_SYS_PTRACE); // /proc of others
    give_up_rights(needed);
}

void EngineRun::loop() {
    constexpr auto answer_time = 1ms; // a helper takes less, as a rule
    const ebpf_loader::Engine::RecordHandler handler = [this](auto record) { take(record); };
    while (goes_on()) {
        batch_begins_ = true;
        const size_t records =
            engine_.poll(handler, governor_.longest_wait(waits_for_answers_ ? answer_time : poll_time_));
        deliver_attempts(searches_.expired(Clock::now()));
        if (folds_)
            deliver_folds(folds_->due(Clock::now()));
        consumer_.turn(records);
        if (const auto options = consumer_.take_new_options())
            adopt(*options);
        if (!batch_begins_) // there was a record
            health_.note_lag(wall_clock_ns() - static_cast<uint64_t>(clock_offset_), batch_time_);
        govern();
        Diagnostics::standard_error().flush();
    }
}

/// What is in the buffers.
size_t EngineRun::read_at_once() {
    const size_t records = engine_.poll([this](auto record) { take(record); }, 0ms);
    consumer_.hand_over();
    return records;
}

void EngineRun::end() {
    notify::send("STOPPING=1");
    // Its number may be a thread's or a group's, which no rule on this program's id selects.
    if (const std::string signal = signals::end_signal(); !signal.empty())
        log(LogLevel::info, "ends on " + signal);
    governor_.end();
    // Detaching can take most of a second, and nothing is read meanwhile.
    const auto read_until = Clock::now() + run_end::at_most(run_end::waiting);
    while (Clock::now() < read_until && read_at_once() > 0) {
    }
    engine_.stop();
    run_end::renew_last_reading();
    is_over_ = false;
    while (read_at_once() > 0) {
    }
    deliver_attempts(searches_.all());
    if (folds_)
        deliver_folds(folds_->all());
    consumer_.finish_events();
    report_losses();
    consumer_.finish_outputs();
    report_losses(); // those of one output at its end, to the others
    consumer_.finish_outputs();
    consumer_.close_outputs();
    outputs_usable_ = consumer_.are_outputs_usable() && outputs_usable_;
    refused_calls_.log_new();
    report_health(true);
    print_summary(true);
}

bool EngineRun::goes_on() {
    if (signals::take_hangup() && !consumer_.hang_up())
        return false;
    outputs_usable_ = consumer_.are_outputs_usable();
    return outputs_usable_ && !is_tampered_ && !signals::end_asked() && Clock::now() < end_;
}

/// The host's name and clock may be set at any time: looked at before the first record of each batch,
/// so that the events that follow say what was so when they happened.
void EngineRun::follow_host() {
    constexpr int64_t step_ns = 5'000'000; // more than slewing and reading it make of it
    batch_begins_ = false;
    const int64_t offset = engine_.wall_clock_offset();
    const int64_t change = offset - clock_offset_;
    const bool is_step = change > step_ns || change < -step_ns;
    if (is_step)
        decoder_.step_wall_clock(offset, looked_at_);
    clock_offset_ = is_step ? offset : clock_offset_;
    looked_at_ = wall_clock_ns() - static_cast<uint64_t>(offset);
    std::string node = host_name();
    const bool is_renamed = node != node_;
    node_ = std::move(node);
    if (!is_step && !is_renamed)
        return;
    // Losses keep their formatter, which numbers them.
    consumer_.renew_formatter(format_context(engine_, options_));
}

namespace {

uint64_t time_of(std::span<const std::byte> record) {
    uint64_t time = 0;
    if (record.size() >= sizeof(ebt_header))
        std::memcpy(&time, record.data() + offsetof(ebt_header, time), sizeof(time));
    return time;
}

} // namespace

/// One record. This is the hot path.
void EngineRun::take(std::span<const std::byte> record) {
    if (++taken_ % records_a_look_at_the_clock == 0)
        is_over_ = run_end::is_over();
    if (is_over_) [[unlikely]] // there may be a gigabyte of them
        return ledger_.left_over();
    const uint64_t time = time_of(record);
    if (batch_begins_) [[unlikely]] {
        follow_host();
        batch_time_ = time;
    }
    if (decoder_.decode(record, event_)) {
        ledger_.received(event_);
        if (folds_) [[unlikely]] {
            record_ = record;
            end_folds();
        }
        if (folds_searches_ && searches_.concerns(event_)) [[unlikely]]
            take_attempt(record, time);
        else
            deliver(time);
    } else {
        ledger_.malformed();
    }
    if (folds_ && folds_->overflows()) [[unlikely]]
        deliver_folds(folds_->due({}));
    if (governor_.count()) [[unlikely]] {
        consumer_.hand_over();
        govern();
    }
}

void EngineRun::deliver(uint64_t time) {
    cache_.enrich(event_);
    consumer_.take(event_, time, ledger_);
}

/// Of a search for a program to execute, or its end.
void EngineRun::take_attempt(std::span<const std::byte> record, uint64_t time) {
    const ExecSearches::Step step = searches_.take(event_, record, Clock::now());
    if (step.supersedes)
        ledger_.filtered();
    if (!step.failed.empty()) {
        deliver_attempts(step.failed);
        decoder_.decode(record, event_);
    }
    if (step.keeps)
        cache_.enrich(event_); // the record may have brought an image, which the kernel gives once
    else
        deliver(time);
}

void EngineRun::deliver_attempts(const std::vector<ExecSearches::Record>& records) {
    for (const ExecSearches::Record& record : records) {
        decoder_.decode(record, event_);
        deliver(time_of(record));
    }
}

bool EngineRun::fold(const Event& event) {
    const ConnectionFolds::Outcome outcome = folds_->take(event, record_, Clock::now());
    if (outcome == ConnectionFolds::Outcome::replaces)
        ledger_.folded();
    return outcome != ConnectionFolds::Outcome::reported;
}

/// Those of a process that ends or becomes another come before that.
void EngineRun::end_folds() {
    if (event_.kind != EBT_EXIT && !has_new_image(event_))
        return;
    const std::vector<ConnectionFolds::Due> due = folds_->of_process(event_.pid);
    if (due.empty())
        return;
    deliver_folds(due);
    decoder_.decode(record_, event_);
}

void EngineRun::deliver_folds(const std::vector<ConnectionFolds::Due>& due) {
    for (const ConnectionFolds::Due& folded : due) {
        decoder_.decode(folded.record, event_);
        event_.fold = &folded.fold;
        deliver(time_of(folded.record));
    }
}

/// Of a reload: what can change while events come.
void EngineRun::adopt(const Options& options) {
    if (options.max_cpu != options_.max_cpu)
        governor_.set_max_cpu(options.max_cpu);
    if (options.events_per_process != options_.events_per_process)
        engine_.limit_events(options.events_per_process);
    if (options.log_level != options_.log_level)
        set_log_level(options.log_level);
    options_ = options;
    deliver_attempts(searches_.all()); // the rules that they came under judge them
    if (folds_)
        deliver_folds(folds_->all());
    folds_searches_ = consumer_.folds_searches();
    log_unseen_calls(engine_); // the rules may be others
}

/// What the time asks for.
void EngineRun::govern() {
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

void EngineRun::every_second() {
    if (is_watched_)
        notify::send("WATCHDOG=1");
    follow_host();
    clock_offset_ = engine_.wall_clock_offset(); // clocks are slewed
    decoder_.set_wall_clock_offset(clock_offset_);
    governor_.check_memory();
    check_tampering();
    refused_calls_.log_new();
    report_losses();
    report_health(false);
    output_watch_.look(consumer_.reports(), Clock::now());
}

void EngineRun::check_tampering() {
    constexpr size_t most_named = 4;
    const std::vector<ebpf_loader::Tampering> changes = engine_.check_tampering();
    if (changes.empty())
        return;
    bool is_repaired = true;
    std::string names;
    size_t named = 0;
    for (const ebpf_loader::Tampering& change : changes) {
        ledger_.tampered();
        is_repaired &= change.is_repaired;
        if (++named <= most_named)
            names += (named == 1 ? "" : ", ") + change.what;
    }
    if (named > most_named)
        names += " and " + std::to_string(named - most_named) + " more";
    is_tampered_ = options_.ends_when_tampered || !is_repaired;
    log(LogLevel::error, "another process changed this program's maps or hooks in the kernel: " + names +
                             "; events may have been missed; " +
                             (is_repaired ? "they are restored" : "they cannot be restored") +
                             (is_tampered_ ? ", and the run ends" : ""));
}

void EngineRun::report_losses() {
    std::string lines;
    const std::vector<LossEvent> losses =
        ledger_.new_losses(engine_.stats(), consumer_.reports(), wall_clock_ns());
    for (const LossEvent& loss : losses)
        formatter_->format(loss, lines);
    consumer_.put_lines(lines);
    consumer_.put_losses(losses);
    consumer_.hand_over();
}

Summary EngineRun::summary(const ebpf_loader::EngineStats& stats, bool is_final) const {
    Summary summary = ledger_.summary(stats, consumer_.reports(), is_final);
    summary.field_faults = decoder_.faults();
    summary.cache = cache_.counters();
    summary.cached_processes = cache_.processes();
    summary.cached_bytes = cache_.image_bytes();
    summary.limits = governor_.report();
    summary.helpers = consumer_.helpers();
    if (const auto failures = name_failures())
        summary.helpers.push_back({"name", *failures});
    return summary;
}

/// What is due of it.
void EngineRun::report_health(bool is_final) {
    if (!health_.is_due(Clock::now(), is_final))
        return;
    const ebpf_loader::EngineStats stats = engine_.stats();
    const Summary now = summary(stats, is_final);
    if (const auto heartbeat = health_.report(now, stats, wall_clock_ns(), consumer_.reloads())) {
        std::string line;
        formatter_->format_heartbeat(*heartbeat, line);
        consumer_.put_lines(line);
        consumer_.put_heartbeat(*heartbeat);
        consumer_.hand_over();
    }
}

void EngineRun::print_summary(bool is_final) {
    if (options_.silent)
        return;
    std::string text;
    formatter_->format(SummaryDocument(summary(engine_.stats(), is_final)), text);
    consumer_.put_stats(*formatter_, text);
    Diagnostics::standard_error().put(text);
}

} // namespace telemetry
