// SPDX-License-Identifier: MIT
#include "telemetry/stack/symbolizer.hpp"
#include "telemetry/stack/unwinder.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

#include "telemetry/base/log.hpp"
#include "telemetry/stack/stack_helper.hpp"

using ebpf_loader::UniqueFd;

namespace telemetry {
namespace {

constexpr size_t most_maps = 256;
constexpr size_t longest_map = 1u << 20;    ///< in text
constexpr size_t most_map_bytes = 4u << 20; ///< of all that are remembered
constexpr uint64_t least_cost = 100'000;    ///< of an event, of Work::cost: maps, and the way to the helper

/// Of one that is not looked up. The address is known from the event itself.
CallStack only_address(const Event& event, StackEnd end) {
    CallStack stack;
    stack.frames.emplace_back().address = Unwinder(event.user_stack).address();
    stack.end = end;
    return stack;
}

WorkShares::Process process_of(const Event& event) {
    return {event.pid, event.start_time_ns, event.exec_id};
}

} // namespace

std::string_view stack_end_name(StackEnd end) {
    switch (end) {
    case StackEnd::none:
        break;
    case StackEnd::outermost:
        return "outermost";
    case StackEnd::not_captured:
        return "not_captured";
    case StackEnd::too_deep:
        return "too_deep";
    case StackEnd::not_known:
        return "not_known";
    case StackEnd::gone:
        return "process_gone";
    case StackEnd::too_costly:
        return "too_costly";
    case StackEnd::helper_failed:
        return "helper_failed";
    }
    return {};
}

Symbolizer::Symbolizer(const std::string& proc_root, const Limits& limits)
    : Symbolizer(proc_root, limits, [stack = limits.stack, known = limits.known](Channel& channel) {
          serve_stacks(channel, stack, known);
      }) {}

Symbolizer::Symbolizer(const std::string& proc_root, const Limits& limits, const Helper::Work& work)
    : limits_(limits), procfs_(proc_root), host_(proc_root), shares_(limits.shares),
      helper_(work, limits.helper) {}

CallStack Symbolizer::symbolize(const Event& event) {
    if (event.user_stack_status != Status::ok)
        return {};
    if (!shares_.has_left(process_of(event), event.time_ns)) {
        CallStack stack = only_address(event, StackEnd::too_costly);
        count(stack, {});
        return stack;
    }
    Read read = this->read(event);
    shares_.charge(process_of(event), least_cost + read.cost);
    count(read.stack, read.done);
    return std::move(read.stack);
}

/// The folder is opened before it is known whose it is, and stays that process's from then on.
Symbolizer::Read Symbolizer::read(const Event& event) {
    const auto begin = Channel::Clock::now();
    Channel* const channel = helper_.channel();
    if (!channel)
        return {only_address(event, StackEnd::helper_failed), {}};
    WorkBudget budget(limits_.stack.stack);
    const std::string folder = procfs_.root() + '/' + std::to_string(event.pid);
    UniqueFd process(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const std::shared_ptr<ProcessMap> map = map_of(event, process, budget);
    if (!map)
        return {only_address(event, StackEnd::gone), budget.used(), budget.used().cost()};
    CodeFiles files(procfs_.root(), process.get(), host_, budget);
    HelpedWalk walk(limits_.stack.frames, *map, files, budget);
    if (!walk.run(event.user_stack, *channel, helper_.deadline()))
        return give_up(event, walk.why_not(), begin);
    counters_.refused_files += walk.refused_files();
    return {walk.take_stack(), walk.done(), walk.done().cost()};
}

/// The process pays for the time, as do all: files that end the helper do not hold up the events.
Symbolizer::Read Symbolizer::give_up(const Event& event, std::string_view why,
                                     Channel::Clock::time_point begin) {
    const std::string end = helper_.replace();
    const std::string line = "the helper for stacks failed at one of process " + std::to_string(event.pid) +
                             ": " + std::string(why) + " (" + end + ")";
    if (helper_.is_gone())
        log(LogLevel::error, line + "; stacks have no names any more");
    else
        warning_.tell(line);
    const std::chrono::nanoseconds taken = Channel::Clock::now() - begin;
    return {only_address(event, StackEnd::helper_failed), {}, static_cast<uint64_t>(taken.count())};
}

void Symbolizer::count(const CallStack& stack, const Work& work) {
    ++counters_.stacks;
    counters_.too_costly +=
        stack.end == StackEnd::too_costly || std::ranges::any_of(stack.frames, &StackFrame::is_too_costly);
    counters_.helper_failures += stack.end == StackEnd::helper_failed;
    counters_.work.reads += work.reads;
    counters_.work.bytes += work.bytes;
    counters_.work.entries += work.entries;
}

/// What the process has mapped now, or had when it was last asked: then its id may be another's, and
/// nothing is opened.
std::shared_ptr<ProcessMap> Symbolizer::map_of(const Event& event, UniqueFd& process, WorkBudget& budget) {
    const UniqueFd file(process ? ::openat(process.get(), "maps", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1);
    const Lines lines = file ? read_lines(file.get(), longest_map, budget) : Lines();
    budget.parse(lines.text.size() / 2); // the kernel made them, of its own data
    auto map = std::make_shared<ProcessMap>();
    map->map = CodeMap(lines.text);
    map->is_whole = lines.is_whole && map->map.size() < CodeMap::most_ranges;
    if (map->map.empty() || !is_still(event)) {
        process = UniqueFd();
        const auto before = maps_.find(process_of(event));
        return before == maps_.end() ? nullptr : before->second;
    }
    if (const size_t bytes = map->map.bytes(); bytes <= most_map_bytes / 16) {
        if (maps_.size() >= most_maps || map_bytes_ + bytes > most_map_bytes) {
            maps_.clear(); // what is needed comes again
            map_bytes_ = 0;
        }
        std::shared_ptr<ProcessMap>& kept = maps_[process_of(event)];
        map_bytes_ += bytes - (kept ? kept->map.bytes() : 0);
        kept = map;
    }
    return map;
}

/// True while the id belongs to the same process, and that executes the same file.
bool Symbolizer::is_still(const Event& event) const {
    const auto now = procfs_.stat(event.pid);
    if (!now || (event.missing & EBT_MISSING_START_TIME) ||
        now->start_ticks != procfs_.ticks(event.start_time_ns))
        return false;
    struct stat status {};
    const std::string exe = procfs_.root() + '/' + std::to_string(event.pid) + "/exe";
    return !event.image.exe.has_inode ||
           (stat(exe.c_str(), &status) == 0 && status.st_ino == event.image.exe.inode.ino);
}

} // namespace telemetry
