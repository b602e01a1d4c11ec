// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string_view>

#include "telemetry/activity/heavy_hitters.hpp"
#include "telemetry/activity/labels.hpp"

namespace telemetry {

/// An event, as far as it is counted. The views need to last for the call alone.
struct CountedEvent {
    std::string_view executable; ///< empty: not known
    std::string_view user;       ///< a name, or an id
    std::string_view container;  ///< empty: in none
    std::string_view call;
    rules::ChosenRule rule;
    CountedProcess process;
    bool failed = false;
    uint64_t bytes = 0; ///< of its lines
};

/// Who did most, and what: the events of a run, or of an interval of it. Some 4 MiB, whatever comes.
class Activity {
  public:
    using Texts = HeavyHitters<TextLabel>;
    using Rules = HeavyHitters<RuleLabel>;
    using Processes = HeavyHitters<ProcessLabel>;

    /// About a tenth of a microsecond; no allocation once all places are taken.
    void count(const CountedEvent& event);
    void count_lost(uint64_t events) { lost_ += events; }
    /// All that the other one has.
    void add(const Activity& other);
    void clear();

    const Counts& all() const { return all_; }
    uint64_t lost() const { return lost_; }
    const Texts& executables() const { return executables_; }
    const Texts& users() const { return users_; }
    const Texts& containers() const { return containers_; }
    const Texts& calls() const { return calls_; }
    const Rules& rules() const { return rules_; }
    const Processes& processes() const { return processes_; }

  private:
    Counts all_;
    uint64_t lost_ = 0;
    Texts executables_{1024}, users_{512}, containers_{512}, calls_{512};
    Rules rules_{1024};
    Processes processes_{4096};
};

} // namespace telemetry
