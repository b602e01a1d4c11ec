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
    uint64_t times = 1; ///< that it happened
    bool failed = false;
    uint64_t bytes = 0; ///< of its lines
};

/// Who did most, and what: the events of a run, or of an interval of it. In `most_bytes`, whatever comes.
class Activity {
  public:
    static constexpr size_t executables_room = 1024, users_room = 512, containers_room = 512,
                            calls_room = 512, rules_room = 1024, processes_room = 4096;
    using Texts = HeavyHitters<TextLabel>;
    using Rules = HeavyHitters<RuleLabel>;
    using Processes = HeavyHitters<ProcessLabel>;

    /// 4.4 MiB, of which 1.4 before anything comes.
    static constexpr size_t most_bytes = Texts::most_bytes(executables_room) + Texts::most_bytes(users_room) +
                                         Texts::most_bytes(containers_room) + Texts::most_bytes(calls_room) +
                                         Rules::most_bytes(rules_room) +
                                         Processes::most_bytes(processes_room);

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
    Texts executables_{executables_room}, users_{users_room}, containers_{containers_room},
        calls_{calls_room};
    Rules rules_{rules_room};
    Processes processes_{processes_room};
};

} // namespace telemetry
