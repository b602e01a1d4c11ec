// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "telemetry/account/summary.hpp"
#include "telemetry/spool/batch.hpp"

namespace telemetry {

/// What became of the events of one output. Its thread and the one that reads count, each its own part.
class DeliveryAccount {
  public:
    void offered(uint64_t events);
    /// Events of an earlier run, found in the spool. They are delivered or lost before all that follow.
    void resumed(uint64_t events);
    void delivered(uint64_t events);
    /// `cause` is a literal.
    void lost(std::string_view cause, uint64_t events);
    /// The same, of events that the carrier had in their order, from the spool or the queue: those of earlier
    /// runs are the first.
    void lost_in_turn(std::string_view cause, uint64_t events);
    /// All of it, also what is no event.
    void lost(std::string_view cause, const Batch& batch);
    void retried();
    /// The wall clock, in ns, of the oldest event that the far end is offered; 0: it has taken all.
    void set_oldest(uint64_t time_ns);
    void set_spool(uint64_t bytes, uint64_t limit);
    /// Lines that are no events: they are in no sum of events.
    void lost_reports(uint64_t lines);
    /// Of the last attempt; empty when it was well.
    void set_error(std::string error);
    /// Nothing more can be delivered, until other settings are tried.
    void set_broken(std::string error);
    void set_mended();
    /// Another carrier goes on, with what follows the first `offered` events. What waits of these may come to
    /// it from the spool: it is not of an earlier run.
    void begin_anew(uint64_t offered);

    DeliveryReport report() const;
    uint64_t all_lost() const;
    /// Without those of earlier runs.
    uint64_t lost_of_run() const;
    std::string error() const;
    bool is_broken() const;

  private:
    uint64_t take_resumed(uint64_t events);

    mutable std::mutex mutex_;
    DeliveryReport report_; ///< but for what is derived
    std::map<std::string_view, uint64_t> lost_;
    std::string error_;
    bool is_broken_ = false;
    uint64_t left_waiting_ = 0;         ///< by the carriers before
    uint64_t resumed_waiting_ = 0;      ///< events of earlier runs
    uint64_t lost_of_earlier_runs_ = 0; ///< of `lost_`
};

} // namespace telemetry
