// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <ebpf_loader/engine.hpp>

#include "telemetry/account/losses.hpp"
#include "telemetry/account/sequences.hpp"
#include "telemetry/account/summary.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry {

/// Counts what becomes of events on this side, and sets it against the kernel's side.
class Ledger {
  public:
    /// What the engine's sequences() are at the start.
    void begin_behind(std::span<const uint64_t> sequences) { sequences_.begin_behind(sequences); }
    /// A record came and could be read.
    void received(const Event& event);
    /// A record came and could not.
    void malformed() { ++malformed_; }
    /// A record was not read, since the run had to end.
    void left_over() { ++left_over_; }
    /// Somebody changed the kernel side: how many events that has cost is not known.
    void tampered() { ++tampered_; }
    void filtered() { ++filtered_; }
    /// Another event, which is like it, stands for it.
    void folded() { ++folded_; }
    /// The event goes out. Returns Event::dropped_before.
    uint64_t emitted(const Event& event);

    /// Records of which nothing but a gap has been seen, so far.
    uint64_t gaps() const { return sequences_.missing(); }

    /// What was lost since the last call, by cause.
    std::vector<LossEvent> new_losses(const ebpf_loader::EngineStats& stats,
                                      std::span<const OutputReport> outputs, uint64_t time_ns);

    /// `is_final`: the hooks are detached and the buffers read out.
    Summary summary(const ebpf_loader::EngineStats& stats, std::span<const OutputReport> outputs,
                    bool is_final) const;

  private:
    Sequences sequences_;
    uint64_t received_ = 0;
    uint64_t malformed_ = 0;
    uint64_t left_over_ = 0;
    uint64_t tampered_ = 0;
    uint64_t filtered_ = 0;
    uint64_t folded_ = 0;
    uint64_t emitted_ = 0;
    class LossReporter;
    std::map<std::pair<std::string_view, int>, uint64_t> reported_; ///< by cause and slot, by new_losses()
};

} // namespace telemetry
