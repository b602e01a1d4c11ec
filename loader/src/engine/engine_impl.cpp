// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/engine/engine_impl.hpp"

#include <ebpf_loader/offset_source.hpp>

#include "loader/src/base/clock.hpp"
#include "loader/src/base/cpus.hpp"
#include "loader/src/base/file_limit.hpp"
#include "loader/src/base/kernel_btf.hpp"
#include "loader/src/base/kernel_image.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/engine/earlier_threads.hpp"
#include "loader/src/load/tier_choice.hpp"
#include "loader/src/offsets/unreported.hpp"
#include "loader/src/self_check/self_check.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace ebpf_loader {
namespace {

constexpr uint32_t wakeup_bytes = 64 << 10; ///< a power of two

} // namespace

namespace {

PerfBuffers perf_buffers(const LoadedTier& tier, const BufferSizes& sizes, clockid_t clock) {
    return {
        .arrays = {{tier.map_fd("events"), sizes.perf()}, {tier.map_fd("vital_events"), sizes.vital_perf()}},
        .clock = clock,
        .output = [&tier] { return read_output(tier); }};
}

/// An eighth of the ring is for vital records alone; how often a slot asks bounds by how
/// much all CPUs together may go beyond.
ebt_settings ring_settings(const Rings& rings) {
    const auto ring = static_cast<uint32_t>(rings.bytes);
    const auto possible = static_cast<uint32_t>(libbpf_num_possible_cpus());
    const auto cpus = (possible + rings.count - 1) / rings.count;
    ebt_settings settings{};
    settings.wakeup_bytes = std::min(wakeup_bytes, ring / 8);
    settings.ordinary_bytes = ring - ring / 8;
    settings.query_bytes = ring / 32 / cpus;
    return settings;
}

} // namespace

Engine::Impl::Impl(const Selection& selection, const EngineOptions& options)
    : selection_(selection), options_(options), buffer_sizes_(options, online_cpus().size()) {
    ensure_file_limit();
    kernel_ = probe_kernel();
    check_environment();
    offsets_ = options.offsets ? *options.offsets : running_kernel_offsets(options.log);
    require_sound(offsets_);
    if (!is_running_since(4, 19)) // nothing marks what was created
        offsets_.set(*Offsets::find("file.f_mode"), std::nullopt);
    log_unreported();
    Hooks hooks = hooks_for(selection_);
    hooks.watch = options.watch_calls != WatchCalls::never;
    hooks.all_processes = options.can_reselect;
    hooks.sharing |= options.can_reselect;
    hooks.screens |= options.can_reselect;
    if (!options.witness || !can_witness())
        hooks.witnesses = 0;
    LoadPlan plan = make_load_plan(kernel_, offsets_, hooks, buffer_sizes_.rings(), options.log);
    if (options.events_per_process > EngineOptions::max_rate_limit)
        throw Error(ErrorCode::usage, "the limit of events per process is too high; the maximum is " +
                                          std::to_string(EngineOptions::max_rate_limit));
    if (options.events_per_process > 0)
        plan.features[Feature::rate_limit] = 0;
    if (options.can_shed)
        plan.features[Feature::shedding] = 0;
    verdicts_ = judge_tiers(kernel_, offsets_);
    tier_ = load_best(verdicts_, options.tier, plan, options.log);
    watch_ = std::make_unique<CallWatch>(*tier_, offsets_, options);
    make_source(plan);
    if (options.self_check) {
        check_self(plan.hooks);
        discard_check();
    } else {
        self_tgid_ = static_cast<uint32_t>(getpid());
    }
    settings_ = ring_settings(plan.rings);
    settings_.self_tgid = options.report_self ? 0 : self_tgid_;
    settings_.events_per_process = options.events_per_process;
    tier_->set(settings_);
    tier_->set_endpoints(selection_.endpoints());
    if (plan.hooks.witnesses)
        witnesses_ = std::make_unique<WitnessObject>(*tier_, plan, plan.hooks.witnesses);
    forget_kernel_btf();
}

/// The programs at kprobes read kernel structures as the smaller tiers do.
bool Engine::Impl::can_witness() const {
    const std::vector<std::string> scattered = offsets_.scattered();
    if (!scattered.empty() && options_.log)
        options_.log("kprobes are not used, since they need members of kernel structures that are close "
                     "together: " +
                     scattered.front());
    return scattered.empty();
}

void Engine::Impl::check_environment() const {
    if (!kernel_.has_privileges)
        throw Error(ErrorCode::privileges,
                    "not allowed to load eBPF programs: " + kernel_.missing_privileges);
    if (kernel_.lockdown_confidentiality)
        throw Error(
            ErrorCode::lockdown,
            "kernel lockdown is in confidentiality mode, which forbids eBPF programs to read kernel memory; "
            "boot with lockdown=integrity");
    require_proc();
}

void Engine::Impl::check_self(const Hooks& hooks) {
    try {
        self_tgid_ = self_check::run(*tier_, *source_, hooks, offsets_);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::offsets)
            throw;
        throw Error(error.code(), std::string(error.what()) + "\nThe offsets in use: " + offsets_.source,
                    error.cause());
    }
}

/// What the check left in the buffers is no event, nor counted as one: the counters stand still first, since
/// a record that came between reading them and emptying the buffers would be on one side of the balance only.
void Engine::Impl::discard_check() {
    constexpr int most_tries = 100;
    for (int i = 0; i < most_tries; ++i) {
        before_ = settled_counters(*tier_);
        source_->drain([](std::span<const std::byte>) {}, true);
        buffers_before_ = source_->counts();
        if (read_counters(*tier_).seen == before_.seen)
            return;
    }
}

void Engine::Impl::make_source(const LoadPlan& plan) {
    buffer_memory_ = buffer_sizes_.memory(tier_->uses_ring());
    if (tier_->uses_ring())
        source_ = make_ring_source(tier_->ring_fds(), plan.rings.bytes, record_clock_id());
    else
        source_ = make_perf_source(perf_buffers(*tier_, buffer_sizes_, record_clock_id()));
}

void Engine::Impl::start() {
    stopped_ = all_read_ = false;
    if (witnesses_) {
        tier_->set_witnessed(witnesses_->attach());
        log_unwitnessed();
    }
    tier_->set_screen(selection_.path_screen());
    tier_->select(selection_.plans(), selection_.numbers());
    tier_->attach_all();
    note_earlier_threads(tier_->map_fd("sharings"), tier_->map_fd("sharing_marks"));
    if (kernel_.tracefs) { // also where nobody may use it: that can be changed at any time
        io_uring_.emplace(kernel_.tracefs_path);
        io_uring_->start(selection_, tier_->witnessed());
    }
    watch_->start(settings_);
    tier_->set(settings_);
    watch_for_tampering();
}

std::vector<Tampering> Engine::Impl::check_tampering() {
    if (!tamper_check_)
        return {};
    return tamper_check_->look(settings_, selection_.endpoints(), source_->take_tampering());
}

void Engine::Impl::watch_for_tampering() {
    tamper_check_.emplace(*tier_, witnesses_ ? std::span<const LinkPtr>(witnesses_->links())
                                             : std::span<const LinkPtr>());
}

void Engine::Impl::log_unreported() const {
    if (options_.log)
        for (const std::string& line : unreported(offsets_))
            options_.log("not reported, because kernel offsets are unknown: " + line);
}

/// One line for all kprobes with the same reason.
void Engine::Impl::log_unwitnessed() const {
    if (!options_.log)
        return;
    std::map<std::string, std::string> functions; // by reason
    for (const WitnessVerdict& verdict : witnesses_->verdicts())
        if (verdict.needed && !verdict.attached) {
            std::string& list = functions[verdict.reason];
            list.append(list.empty() ? "" : ", ").append(verdict.function);
        }
    for (const auto& [reason, list] : functions) {
        std::string line = "cannot attach kprobes to " + list;
        line.append(": ").append(reason);
        options_.log(
            line.append("; paths and addresses of these operations are reported as callers wrote them"));
    }
}

void Engine::Impl::stop() {
    tamper_check_.reset();
    tier_->detach();
    if (witnesses_)
        witnesses_->detach();
    if (io_uring_)
        io_uring_->stop();
}

void Engine::Impl::follow_io_uring() {
    const auto earlier_opens = witnesses_ ? witnesses_->follow_io_uring() : std::nullopt;
    if (!earlier_opens)
        return;
    if (tamper_check_)
        watch_for_tampering(); // there is another hook
    if (!options_.log)
        return;
    std::string line = "a program uses io_uring: from now on files that are opened through it are reported";
    if (*earlier_opens != 0)
        line.append("; ").append(std::to_string(*earlier_opens)).append(" earlier opens are not");
    options_.log(line);
}

size_t Engine::Impl::poll(const RecordHandler& handler, std::chrono::milliseconds timeout) {
    const auto whole = [&](std::span<const std::byte> record) {
        uint32_t size = 0; // perf buffers pad
        if (record.size() >= sizeof(ebt_header)) {
            memcpy(&size, record.data() + offsetof(ebt_header, size), sizeof(size));
            watch_->saw(static_cast<uint8_t>(record[offsetof(ebt_header, execution)]));
        }
        handler(record.first(std::min<size_t>(size, record.size())));
    };
    follow_io_uring();
    if (!stopped_ && watch_->follow(settings_)) {
        tier_->set(settings_);
        watch_for_tampering(); // there is another hook
    }
    if (const size_t records = drain(whole))
        return records;
    all_read_ = stopped_;
    if (stopped_)
        return 0;
    source_->wait(timeout);
    return drain(whole);
}

EngineStats Engine::Impl::stats() const {
    EngineStats stats = read_counters(*tier_);
    subtract(stats, before_);
    add_unnoticed_losses(stats);
    stats.unseen_operations = io_uring_ ? io_uring_->operations() : 0;
    return stats;
}

/// Before Linux 5.1 a program does not learn that a perf buffer was full and counts the record
/// as emitted. The buffer reports the loss once there is room again; at the end, what was read shows it.
void Engine::Impl::add_unnoticed_losses(EngineStats& stats) const {
    const std::vector<BufferCount> counts = source_->counts();
    for (size_t cpu = 0; cpu < counts.size(); cpu++) {
        BufferCount count = counts[cpu];
        if (cpu < buffers_before_.size()) {
            count.taken -= buffers_before_[cpu].taken;
            count.lost -= buffers_before_[cpu].lost;
        }
        const auto slots = std::span(stats.slots).subspan(cpu * EBT_SLOTS, EBT_SLOTS);
        const uint64_t unnoticed = unnoticed_losses(slots, count);
        take_back(slots, unnoticed);
        stats.emitted -= unnoticed;
        stats.lost[EBT_LOST_BUFFER_FULL] += unnoticed;
    }
}

/// Of one CPU's slots. Where programs learn of it, each time that a buffer had no room is in their counts.
uint64_t Engine::Impl::unnoticed_losses(std::span<const SlotStats> slots, const BufferCount& count) const {
    uint64_t emitted = 0, noticed = 0;
    for (const SlotStats& slot : slots) {
        emitted += slot.emitted;
        noticed += slot.lost[EBT_LOST_BUFFER_FULL] + slot.spilled;
    }
    if (all_read_)
        return emitted > count.taken ? emitted - count.taken : 0;
    return std::min(count.lost > noticed ? count.lost - noticed : 0, emitted);
}

void Engine::Impl::pause_transfers(uint64_t connects) {
    settings_.gate_closed_at = connects;
    tier_->set(settings_);
}

void Engine::Impl::shed(bool on) {
    settings_.shed = on;
    tier_->set(settings_);
}

void Engine::Impl::limit_events(uint32_t per_process) {
    settings_.events_per_process = per_process;
    tier_->set(settings_);
}

namespace {

std::vector<ebt_endpoint> without(std::vector<ebt_endpoint> all, const std::vector<ebt_endpoint>& others) {
    std::erase_if(all, [&](const ebt_endpoint& endpoint) {
        return std::ranges::any_of(others, [&](const ebt_endpoint& other) {
            return std::memcmp(&endpoint, &other, sizeof(endpoint)) == 0;
        });
    });
    return all;
}

} // namespace

std::string Engine::Impl::cannot_reselect(const Selection& next) const {
    const size_t room = tier_->room_for_endpoints();
    const size_t all =
        selection_.endpoints().size() + without(next.endpoints(), selection_.endpoints()).size();
    if (!next.endpoints().empty() && all > room)
        return "room for " + std::to_string(all) + " endpoints, old and new, instead of " +
               std::to_string(room);
    return tier_->lacks(hooks_for(next));
}

/// Connections to new ones may be open already.
void Engine::Impl::widen_endpoints(const Selection& next) {
    const std::vector<ebt_endpoint> added = without(next.endpoints(), selection_.endpoints());
    dropped_endpoints_ = without(selection_.endpoints(), next.endpoints());
    tier_->add_endpoints(added);
    if (!added.empty())
        pause_transfers(0);
}

void Engine::Impl::widen(const Selection& next) {
    if (const std::string lack = cannot_reselect(next); !lack.empty())
        throw Error(ErrorCode::usage, "what is selected needs what is not attached: " + lack);
    const bool begins_with_calls = !next.numbers().empty() && !tier_->has_exit();
    if (begins_with_calls)
        tier_->attach_exit();
    tier_->widen(next.plans(), next.numbers(), next.path_screen());
    widen_endpoints(next);
    selection_ = next;
    if (begins_with_calls)
        watch_calls();
    if (io_uring_)
        io_uring_->select(selection_, tier_->witnessed());
    const uint16_t unwitnessed = options_.witness ? hooks_for(next).witnesses & ~tier_->witnessed() : 0;
    if (unwitnessed != 0 && witnesses_ && options_.log)
        options_.log("kprobes are attached at the start alone: some paths and addresses of calls that were "
                     "not selected then are reported as callers wrote them");
}

/// Once calls are selected, where none was before.
void Engine::Impl::watch_calls() {
    watch_->start(settings_);
    tier_->set(settings_);
    watch_for_tampering(); // there are other hooks
}

void Engine::Impl::narrow() {
    tier_->narrow();
    tier_->forget_endpoints(std::exchange(dropped_endpoints_, {}));
}

clockid_t Engine::Impl::record_clock_id() const {
    return kernel_.boot_clock ? CLOCK_BOOTTIME : CLOCK_MONOTONIC;
}

uint64_t Engine::Impl::record_clock() const {
    return clock_ns(record_clock_id());
}

int64_t Engine::Impl::wall_clock_offset() const {
    const clockid_t clock = record_clock_id();
    // Of a few tries the one with the shortest time between the two readings.
    int64_t best_gap = INT64_MAX, offset = 0;
    for (int i = 0; i < 5; i++) {
        const auto before = static_cast<int64_t>(clock_ns(clock));
        const auto wall = static_cast<int64_t>(clock_ns(CLOCK_REALTIME));
        const auto after = static_cast<int64_t>(clock_ns(clock));
        if (after - before < best_gap) {
            best_gap = after - before;
            offset = wall - (before + (after - before) / 2);
        }
    }
    return offset;
}

} // namespace ebpf_loader
