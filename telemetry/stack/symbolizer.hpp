// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "telemetry/elf/work_budget.hpp"
#include "telemetry/event/event.hpp"
#include "telemetry/helper/helper.hpp"
#include "telemetry/helper/repeated_warning.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/stack/call_stack.hpp"
#include "telemetry/stack/helped_walk.hpp"
#include "telemetry/stack/known_code.hpp"
#include "telemetry/stack/mounts.hpp"
#include "telemetry/stack/walk.hpp"

namespace telemetry {

/// Finds the functions of the stacks that come with events, in what the process has mapped. It must be
/// called as soon as the event is there, since processes end. What is not known is absent. All that is read
/// is the process's to choose: so a helper parses it, and what a stack costs has a limit, and what the stacks
/// of a process cost over time.
class Symbolizer {
  public:
    struct Limits {
        Helper::Limits helper;
        StackLimits stack;
        WorkShares::Limits shares;
        KnownCode::Limits known;
    };
    struct Counters {
        uint64_t stacks = 0;
        uint64_t too_costly = 0; ///< stacks that were cut, or of which frames are not known, for their cost
        uint64_t refused_files = 0;   ///< files, or parts of them, that are not looked at again
        uint64_t helper_failures = 0; ///< stacks of which only an address is known, since the helper failed
        Work work;                    ///< of all stacks together
    };

    /// Starts the helper, so it is to be made early. Throws std::system_error.
    explicit Symbolizer(const std::string& proc_root) : Symbolizer(proc_root, Limits()) {}
    Symbolizer(const std::string& proc_root, const Limits& limits);
    /// With a helper that does something else, as in tests.
    Symbolizer(const std::string& proc_root, const Limits& limits, const Helper::Work& work);

    CallStack symbolize(const Event& event);

    const Counters& counters() const { return counters_; }
    static constexpr size_t most_frames = 64;

  private:
    struct Read {
        CallStack stack;
        Work done;
        uint64_t cost = 0; ///< as Work::cost; of a helper that failed, the time that it took
    };
    Read read(const Event& event);
    Read give_up(const Event& event, std::string_view why, Channel::Clock::time_point begin);
    std::shared_ptr<ProcessMap> map_of(const Event& event, ebpf_loader::UniqueFd& process,
                                       WorkBudget& budget);
    bool is_still(const Event& event) const;
    void count(const CallStack& stack, const Work& work);

    Limits limits_;
    Procfs procfs_;
    HostMounts host_;
    WorkShares shares_;
    Helper helper_;
    RepeatedWarning warning_;
    std::map<WorkShares::Process, std::shared_ptr<ProcessMap>>
        maps_; ///< of the last processes, which may have ended
    size_t map_bytes_ = 0;
    Counters counters_;
};

} // namespace telemetry
