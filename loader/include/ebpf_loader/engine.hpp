// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/api.hpp>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/probe.hpp>
#include <ebpf_loader/selection.hpp>
#include <ebpf_loader/stats.hpp>
#include <ebpf_loader/witness.hpp>

namespace ebpf_loader {

/// Whether the starts of calls are noted. Then a record says of a call whose thread has a seccomp filter
/// or a tracer whether it ran (ebt_execution); each call of every process costs some nanoseconds more.
enum class WatchCalls {
    when_needed, ///< from the moment on that some process has a filter or a tracer
    always,
    never,
};

struct EngineOptions {
    std::optional<Tier> tier;       ///< force one; otherwise the best that loads
    std::optional<Offsets> offsets; ///< otherwise running_kernel_offsets()
    size_t buffer_bytes = 0; ///< of each ring, or each CPU's perf buffer. 0: default. Made a power of two
    /// CPUs that share a ring buffer, where there are more of them online at the start; a power of two.
    size_t cpus_per_ring = 8;
    /// Events of one process in a second, but for execs, exits, forks and credentials; what is
    /// beyond is lost and counted. 0: no limit, and no cost. Up to max_rate_limit.
    uint32_t events_per_process = 0;
    static constexpr uint32_t max_rate_limit = 100'000'000;
    /// Engine::shed() is going to be used; it costs a comparison an event.
    bool can_shed = false;
    /// What this process may occupy in all, and what of that is not the buffers', in bytes.
    /// Buffers of the default size are made smaller until they fit; Error(resources) where those
    /// asked for do not, or the least do not. 0: no bound.
    size_t max_memory = 0, other_memory = 0;
    bool self_check = true; ///< observe this very process and compare with /proc
    bool witness = true;    ///< paths and addresses as the kernel acted on them, where it has kprobes
    WatchCalls watch_calls = WatchCalls::when_needed;
    std::string host_proc = "/proc"; ///< where processes of the whole machine are looked for
    bool report_self = false;        ///< also report this process's own calls
    /// Engine::widen() is going to be used: the hooks of all process events are attached, selected or not.
    bool can_reselect = false;
    /// One line at a time of progress and warnings, for the caller's log.
    std::function<void(std::string_view)> log;
};

/// What someone else changed of an engine in the kernel.
struct Tampering {
    std::string what; ///< "numbers[257]"
    bool is_repaired; ///< it is as it was before
};

/// The engine: one loaded tier, attached on start(), read with poll().
/// Not thread-safe: one thread calls everything.
class EBPF_LOADER_API Engine {
  public:
    /// Gets one record: a complete ebt_header and its fields, checked for size only.
    /// The bytes are valid during the call.
    using RecordHandler = std::function<void(std::span<const std::byte>)>;

    /// Probes, chooses, relocates, loads and checks itself. Throws Error.
    Engine(const Selection& selection, const EngineOptions& options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Attaches the hooks: from here on events are captured.
    void start();
    /// Detaches the hooks; poll() then still delivers what was captured.
    void stop();
    /// Waits up to `timeout` for records and hands them over in order of time.
    /// Returns how many. After stop(), 0 means there are no more.
    size_t poll(const RecordHandler& handler, std::chrono::milliseconds timeout);

    /// The number of connections to the endpoints of Selection::select_transfers() that were opened
    /// so far, plus one for those that were open before. While it differs from what
    /// pause_transfers() was given last, the kernel side examines all calls that move bytes.
    uint64_t endpoint_connects() const;
    /// Stops examining calls that move bytes, until the next connection to an endpoint is opened.
    /// The caller first takes `connects` from endpoint_connects() and then makes sure, from
    /// /proc/<pid>/net/tcp and tcp6 of each network namespace, that no such connection is open. One
    /// that is opened in between is not missed: the number is then another one.
    void pause_transfers(uint64_t connects);

    /// While on, execs, exits, forks and changes of credentials alone are captured; what else is
    /// selected is lost and counted as EBT_LOST_MAX_CPU, at next to no cost for who does it. Needs
    /// EngineOptions::can_shed.
    void shed(bool on);

    /// Limits how many events of one process are reported a second, as EngineOptions::events_per_process,
    /// which must not have been 0. 0: no limit any more.
    void limit_events(uint32_t per_process);

    /// Why the hooks that are attached do not do for this selection; empty when they do. Needs
    /// EngineOptions::can_reselect.
    std::string cannot_reselect(const Selection& next) const;
    /// Begins to change what is captured while the hooks stay attached: from now on what either selection
    /// asks for, the one in force or this one, and filters of calls whose filters differ let everything
    /// through; transfers to new endpoints are examined, of connections that are open already, too. Hooks
    /// that run already may still see the old one: see await_running_hooks(). Throws Error(usage), and
    /// changes nothing, where cannot_reselect().
    void widen(const Selection& next);
    /// Ends what widen() began: its selection alone is in force. Hooks that ran before widen() must have
    /// ended.
    void narrow();
    /// Waits, some 10 ms, until the hooks that run now on any processor have ended: those that begin later
    /// see what was written before. Any thread may call it.
    static void await_running_hooks();
    /// ns, of the clock that ebt_header.time is of, now.
    uint64_t record_clock() const;

    /// Compares what the kernel holds of this engine (settings, selection, endpoints, stages and hooks) with
    /// what was written there, and writes again what differs: someone else changed it, and events may have
    /// been missed. While the hooks are attached; costs 5 µs a selected call.
    std::vector<Tampering> check_tampering();

    /// The capabilities that this kernel asks for what the engine does from now on, as bits by number
    /// (capabilities(7)): a caller may give up all others. After start().
    uint64_t needed_capabilities() const;

    EngineStats stats() const;
    /// ebt_header.sequence of the last record of each CPU and slot, at [cpu * EBT_SLOTS + slot].
    /// Before start(): what the numbers of this run begin behind.
    std::vector<uint64_t> sequences() const;
    Tier tier() const;
    bool uses_ring_buffer() const;
    /// Of the ring buffer, or of each CPU's perf buffer: what was asked for, made a power of
    /// two that is possible.
    size_t buffer_bytes() const;
    size_t buffer_memory() const; ///< what the buffers may occupy of this process's memory
    /// ns to add to ebt_header.time to get wall-clock time (ns since the epoch), now.
    int64_t wall_clock_offset() const;
    /// Why each better tier was passed over, in order; for the log and --probe.
    const std::vector<TierVerdict>& verdicts() const;
    /// After start(): the kprobes that the selected calls ask for.
    std::span<const WitnessVerdict> witnesses() const;
    /// After start(): the selected calls that programs can have done through io_uring without a record. Empty
    /// also where the kernel has no io_uring.
    std::span<const std::string_view> unseen_calls() const;
    /// Does EngineStats::unseen_operations count such operations? Linux 5.5 and later; not for the first time
    /// after widen().
    bool counts_unseen_operations() const;
    const Offsets& offsets() const;

  private:
    class EBPF_LOADER_LOCAL Impl;
    std::unique_ptr<Impl> impl_;
};

/// In load/tier_choice.cpp: loads every tier that this kernel may take, attaches none, and judges which one
/// an engine would choose with all that can be selected, and why no better one. With `run`, notes in `kernel`
/// which it would choose for this selection: programs that load in parts may not load as a whole. Mounts
/// tracefs where it is not, and notes so in `kernel`. Throws Error(tracefs).
EBPF_LOADER_API std::vector<TierVerdict> try_tiers(KernelSupport& kernel, const Offsets& offsets,
                                                   const Selection* run = nullptr);

} // namespace ebpf_loader
