// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <ebpf_loader/engine.hpp>

#include "loader/src/engine/call_watch.hpp"
#include "loader/src/engine/counters.hpp"
#include "loader/src/engine/io_uring_watch.hpp"
#include "loader/src/load/buffers/buffer_sizes.hpp"
#include "loader/src/load/loaded_tier.hpp"
#include "loader/src/load/plan.hpp"
#include "loader/src/load/tamper_check.hpp"
#include "loader/src/load/witness/witness_object.hpp"
#include "loader/src/read/record_source.hpp"

namespace ebpf_loader {

class Engine::Impl {
  public:
    Impl(const Selection& selection, const EngineOptions& options);

    void start();
    void stop();
    std::vector<Tampering> check_tampering();
    size_t poll(const RecordHandler& handler, std::chrono::milliseconds timeout);
    EngineStats stats() const;
    int64_t wall_clock_offset() const;
    void pause_transfers(uint64_t connects);
    void shed(bool on);
    void limit_events(uint32_t per_process);
    std::string cannot_reselect(const Selection& next) const;
    void widen(const Selection& next);
    void narrow();
    clockid_t record_clock_id() const; ///< that ebt_header.time is of
    uint64_t record_clock() const;

    Selection selection_;
    EngineOptions options_;
    const BufferSizes buffer_sizes_;
    size_t buffer_memory_ = 0;
    KernelSupport kernel_;
    Offsets offsets_;
    std::vector<TierVerdict> verdicts_;
    std::unique_ptr<LoadedTier> tier_;
    std::unique_ptr<WitnessObject> witnesses_;
    std::unique_ptr<RecordSource> source_;
    std::optional<TamperCheck> tamper_check_; ///< while the hooks are attached
    std::unique_ptr<CallWatch> watch_;
    std::optional<IoUringWatch> io_uring_; ///< once started
    bool stopped_ = false;

  private:
    bool can_witness() const;
    void watch_calls();
    void widen_endpoints(const Selection& next);
    void check_environment() const;
    void check_self(const Hooks& hooks);
    void discard_check();
    void make_source(const LoadPlan& plan);
    void log_unwitnessed() const;
    void log_unreported() const;
    void watch_for_tampering();
    void follow_io_uring();
    size_t drain(const RecordHandler& handler) { return source_->drain(handler, stopped_); }
    void add_unnoticed_losses(EngineStats& stats) const;
    uint64_t unnoticed_losses(std::span<const SlotStats> slots, const BufferCount& count) const;

    uint32_t self_tgid_ = 0;
    ebt_settings settings_{};
    std::vector<ebt_endpoint> dropped_endpoints_; ///< by widen(), for narrow()
    EngineStats before_;                          ///< what the self-check counted: not the caller's
    std::vector<BufferCount> buffers_before_;
    bool all_read_ = false; ///< nothing is in the buffers any more
};

} // namespace ebpf_loader
