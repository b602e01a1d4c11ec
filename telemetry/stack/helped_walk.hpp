// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "telemetry/elf/work_budget.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/helper/channel.hpp"
#include "telemetry/stack/call_stack.hpp"
#include "telemetry/stack/code_files.hpp"
#include "telemetry/stack/code_map.hpp"

namespace telemetry {

/// What a process has mapped, and which of the files were looked at.
struct ProcessMap {
    CodeMap map;
    bool is_whole = true; ///< false: there is more than could be read
    std::map<const CodeRange*, FileIdentity> identities;
};

/// One stack, by the helper: gives it the stack, tells it what is mapped where it asks, opens those files for
/// it, and takes the frames that it answers with. Whatever these say, they are in bounds, and the modules in
/// them are those of the process.
class HelpedWalk {
  public:
    /// All of it has to live longer.
    HelpedWalk(size_t most_frames, ProcessMap& map, CodeFiles& files, WorkBudget& budget)
        : most_frames_(most_frames), map_(map), files_(files), budget_(budget) {}

    /// False: the helper has failed, as why_not() says.
    bool run(const UserStack& stack, Channel& channel, Channel::Clock::time_point deadline);

    CallStack take_stack() { return std::move(stack_); }
    std::string_view why_not() const { return why_not_; }
    /// Of both processes.
    const Work& done() const { return done_; }
    uint64_t refused_files() const { return refused_files_; }

  private:
    bool fail(std::string_view why);
    bool answer(std::string_view question, Channel& channel);
    bool accept(std::string_view answer);

    const size_t most_frames_;
    ProcessMap& map_;
    CodeFiles& files_;
    WorkBudget& budget_;
    std::vector<const CodeRange*> places_; ///< that the helper was told
    size_t questions_ = 0;
    CallStack stack_;
    Work told_; ///< of the budget, that the helper knows
    Work done_;
    uint64_t refused_files_ = 0;
    std::string_view why_not_;
};

} // namespace telemetry
