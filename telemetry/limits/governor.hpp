// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <ebpf_loader/engine.hpp>

#include "telemetry/account/ledger.hpp"
#include "telemetry/limits/cpu_budget.hpp"
#include "telemetry/process/cache.hpp"

namespace telemetry {

struct RunLimits {
    unsigned max_cpu = 0;  ///< percent of one CPU; 0: no limit
    size_t max_memory = 0; ///< bytes; 0: no limit
};

/// Keeps this process within --max-cpu and --max-memory. What is given up, in this order: ordinary
/// events, which the kernel side does not even capture for a while; then the reader pauses, and the
/// kernel's buffers take what they can; of memory, what the cache of processes remembers.
class Governor {
  public:
    Governor(const RunLimits& limits, ebpf_loader::Engine& engine, ProcessCache& cache);

    /// What came before, the start of the program, does not count.
    void begin();
    /// Another limit from now on, in percent of one CPU; 0: none. The engine has to be able to shed.
    void set_max_cpu(unsigned percent);
    /// There is nothing more to wait for: no pauses any more.
    void end() { budget_.reset(); }

    /// Of one record taken. True now and then: look() is due.
    bool count() { return budget_ && ++records_ % records_a_look == 0; }
    /// Does what has to be done by now. When the reader has to pause, that may take 100 ms.
    void look();
    /// How long to wait for events, at most `usual`: until they need not be shed any more.
    std::chrono::milliseconds longest_wait(std::chrono::milliseconds usual) const;
    /// Each second.
    void check_memory();

    LimitsReport report() const;

  private:
    using Time = std::chrono::nanoseconds;
    static constexpr uint32_t records_a_look = 256;

    void note();
    void pause();
    void log_calm();
    void shrink(size_t resident);

    ebpf_loader::Engine& engine_;
    ProcessCache& cache_;
    std::optional<CpuBudget> budget_;
    uint32_t records_ = 0;
    Time wall_{}, used_{}; ///< as of the last look
    Time began_wall_{}, began_used_{};
    Time shed_until_{}; ///< when events were shed last
    bool sheds_ = false;
    bool logged_shedding_ = false, logged_pause_ = false;
    bool logged_memory_ = false, logged_least_ = false;
    LimitsReport report_;
};

} // namespace telemetry
