// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/error.hpp>
#include <ebpf_loader/offsets.hpp>
#include <ebpf_loader/probe.hpp>
#include <ebpf_loader/syscalls.hpp>

namespace ebpf_loader {

/// What to capture: plans by row and the numbers that lead to them.
class Selection {
  public:
    /// Selects a row of the table by every number that leads to it; a call with several forms
    /// is selected form by form (see next_form()). `filter` is ORed clauses
    /// (see ebt_predicate); empty: everything. With include_all only what a clause with
    /// EBT_EXCLUDE fits is dropped. Selecting a call again replaces its filter. A socket
    /// call is also selected where i386 programs make it through socketcall(2).
    /// Throws Error(usage) for a filter that no plan can hold.
    void select(const SyscallRow& call, std::span<const ebt_predicate> filter, bool include_all);
    /// Selects a number (x32: without bit 30) that the table does not know; no captures
    /// but the arguments. Returns its plan row. One that the table knows after all gets
    /// the table's row, in this ABI alone.
    uint16_t select_number(ebt_abi abi, int number, std::span<const ebt_predicate> filter, bool include_all);
    /// Selects EBT_ROW_FORK, EBT_ROW_EXEC or EBT_ROW_EXIT.
    void select_process(ebt_process_row row, std::span<const ebt_predicate> filter, bool include_all);
    /// Selects what calls move over TCP connections whose far end is one of these: records of
    /// the kind EBT_TRANSFER, besides the record of the call itself where that is selected too.
    /// Calls that move bytes cost next to nothing while no such connection is open; see
    /// Engine::close_streams(). Throws Error(usage) when there are too many.
    void select_streams(std::span<const ebt_endpoint> endpoints);
    /// Asks for the registers and the stack of who connects or sends there, with each such record:
    /// EBT_FIELD_USER_STACK. Costs nothing where it is not asked for.
    void select_stacks() { wants_stacks_ = true; }

    const std::map<uint16_t, ebt_plan>& plans() const { return plans_; }
    const std::map<uint32_t, ebt_numbers>& numbers() const { return numbers_; }
    bool needs_enter() const; ///< some selected call is taken at sys_enter
    bool empty() const { return plans_.empty(); }
    const std::vector<ebt_endpoint>& endpoints() const { return endpoints_; }
    bool wants_stacks() const { return wants_stacks_; }

  private:
    void select_socketcall(const SyscallRow& call);
    void select_execve();
    void select_stream(const SyscallRow& call);

    std::map<uint16_t, ebt_plan> plans_;
    std::map<uint32_t, ebt_numbers> numbers_;
    std::vector<ebt_endpoint> endpoints_; ///< of streams
    bool wants_stacks_ = false;
    uint16_t next_row_ = 0; ///< of the next number unknown to the table; 0: none yet
};

struct EngineOptions {
    std::optional<Tier> tier;       ///< force one; otherwise the best that loads
    std::optional<Offsets> offsets; ///< otherwise running_kernel_offsets()
    size_t buffer_bytes = 0;        ///< ring: in all; perf: per CPU. 0: default. Rounded up to pages 2^n
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
    bool self_check = true;   ///< observe this very process and compare with /proc
    bool report_self = false; ///< also report this process's own calls
    /// One line at a time of progress and warnings, for the caller's log.
    std::function<void(std::string_view)> log;
};

/// What became of the records of one CPU's slot, since the start.
struct SlotStats {
    uint64_t emitted = 0;
    std::array<uint64_t, EBT_LOSSES> lost{};
    uint64_t spilled = 0;   ///< vital records that found their own perf buffer full, lost or not
    uint64_t last_lost = 0; ///< ebt_header.sequence of the last record that was lost; 0: not known
};

/// Counters, all since the start. seen == filtered + emitted + sum(lost) whenever no
/// hook is running, exactly so once detached.
struct EngineStats {
    uint64_t seen = 0;
    uint64_t filtered = 0;
    uint64_t emitted = 0;
    std::array<uint64_t, EBT_LOSSES> lost{};
    uint64_t missed_runs = 0;     ///< program runs the kernel skipped (recursion), from its own statistics
    std::vector<SlotStats> slots; ///< at [cpu * EBT_SLOTS + slot]: what adds up to `emitted` and `lost`
};
std::string_view loss_name(ebt_loss cause); ///< "buffer_full", "scratch_busy", ...

/// The engine: one loaded tier, attached on start(), read with poll().
/// Not thread-safe: one thread calls everything.
class Engine {
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

    /// Connections to the endpoints of Selection::select_streams() that were opened so far, and
    /// one for those that were there before: while this is not what close_streams() was last
    /// given, calls that move bytes are looked at.
    uint64_t stream_connects() const;
    /// No connection was open after stream_connects() had said so many: to be found out by
    /// the caller, in /proc/<pid>/net/tcp and tcp6 of each network namespace. One that was
    /// opened meanwhile is not missed.
    void close_streams(uint64_t connects);

    /// While on, execs, exits, forks and changes of credentials alone are captured; what else is
    /// selected is lost and counted as EBT_LOST_MAX_CPU, at next to no cost for who does it. Needs
    /// EngineOptions::can_shed.
    void shed(bool on);

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
    const Offsets& offsets() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Loads every tier that this kernel may take, attaches none, and tells which one an
/// engine would choose and why no better one. Mounts tracefs where it is not, and notes
/// so in `capabilities`. Throws Error(tracefs).
std::vector<TierVerdict> try_tiers(Capabilities& capabilities, const Offsets& offsets);

} // namespace ebpf_loader
