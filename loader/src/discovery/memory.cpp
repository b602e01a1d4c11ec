// SPDX-License-Identifier: LGPL-2.1
// The address space, known by the command line in it and by the program that it runs.
#include "loader/src/discovery/executable.hpp"
#include "loader/src/discovery/steps.hpp"

#include "loader/src/base/text.hpp"

#include <fcntl.h>
#include <iterator>
#include <linux/prctl.h>
#include <memory>
#include <sstream>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t mm_bytes = 4096;

/// What /proc/PID/stat has of an address space.
struct Layout {
    uint64_t start_code, end_code, start_stack, start_data, end_data, start_brk;
    uint64_t arg_start, arg_end, env_start, env_end;
};

Layout layout_of(const HelperProcess& helper) {
    const std::string text = read_file("/proc/" + std::to_string(helper.pid()) + "/stat", 4096).value_or("");
    std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    const auto field = [&](size_t number) { // as proc(5) counts; the first two are cut off
        if (fields.size() <= number - 3)
            throw Unobservable("/proc/PID/stat does not contain the address of the command line");
        return std::stoull(fields[number - 3]);
    };
    const Layout layout{.start_code = field(26),
                        .end_code = field(27),
                        .start_stack = field(28),
                        .start_data = field(45),
                        .end_data = field(46),
                        .start_brk = field(47),
                        .arg_start = field(48),
                        .arg_end = field(49),
                        .env_start = field(50),
                        .env_end = field(51)};
    if (layout.arg_start == 0)
        throw Unobservable("/proc/PID/stat hides the address of the command line");
    return layout;
}

/// Those of the pointers that always lead to the same as another one. Without one are those
/// that lead into the middle of an address space, to a list that the task is in.
std::vector<uint32_t> twins(const std::vector<uint32_t>& pointers, const std::vector<Block>& tasks) {
    std::vector<uint32_t> found;
    for (const uint32_t one : pointers)
        for (const uint32_t other : pointers)
            if (one != other && std::ranges::all_of(tasks, [&](const Block& task) {
                    return task.at<uint64_t>(one) == task.at<uint64_t>(other);
                })) {
                found.push_back(one);
                break;
            }
    return found;
}

/// A process has `mm` and `active_mm`, which are the same until its end, when it gives up its
/// address space but still borrows it.
void find_pointer(Setup& s, const std::vector<std::unique_ptr<Executed>>& owners) {
    std::vector<Block> tasks;
    std::vector<const Block*> blocks;
    std::vector<uint64_t> starts;
    for (const auto& owner : owners) {
        tasks.push_back(s.task(owner->process()));
        starts.push_back(layout_of(owner->process()).arg_start);
    }
    for (const Block& task : tasks)
        blocks.push_back(&task);
    const auto leading = places_if(blocks, 8, [&](size_t offset) {
        std::vector<Block> spaces;
        std::vector<Observation> observations;
        for (const Block& task : tasks) {
            if (!is_heap_pointer(task.at<uint64_t>(offset)))
                return false;
            spaces.push_back(s.memory.read(task.at<uint64_t>(offset), mm_bytes));
        }
        for (size_t i = 0; i < spaces.size(); i++)
            observations.push_back({&spaces[i], starts[i]});
        return !places<uint64_t>(observations).empty();
    });
    const auto pointers = twins(leading, tasks);
    if (pointers.size() != 2) {
        s.found.settle("task_struct.mm", pointers);
        return;
    }
    HelperProcess& dying = s.helpers.spawn();
    const PairWatch watch(s.tracefs, "sched/sched_switch", dying.tgid(), pointers[0], pointers[1]);
    dying.begin(SYS_exit_group, 0);
    dying.await_zombie();
    for (int tries = 0; !watch.differed() && tries < 1000; tries++)
        s.worker.call(SYS_sched_yield); // it is a zombie shortly before it leaves its CPU for good
    const auto [first, second] = watch.words();
    std::vector<uint32_t> given_up;
    if (first == 0)
        given_up.push_back(pointers[0]);
    if (second == 0)
        given_up.push_back(pointers[1]);
    s.found.settle("task_struct.mm", given_up);
}

/// Sets the bounds of the command line and of the environment, which meet in every new process.
bool set_bounds(HelperProcess& helper, const Layout& to) {
    auto* map = static_cast<prctl_mm_map*>(helper.room(sizeof(prctl_mm_map)));
    *map = {.start_code = to.start_code,
            .end_code = to.end_code,
            .start_data = to.start_data,
            .end_data = to.end_data,
            .start_brk = to.start_brk,
            .brk = static_cast<uint64_t>(helper.call(SYS_brk, 0)),
            .start_stack = to.start_stack,
            .arg_start = to.arg_start,
            .arg_end = to.arg_end,
            .env_start = to.env_start,
            .env_end = to.env_end,
            .auxv = nullptr,
            .auxv_size = 0,
            .exe_fd = static_cast<uint32_t>(-1)};
    if (helper.call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, as_argument(map), sizeof(*map)) == 0)
        return true; // needs CONFIG_CHECKPOINT_RESTORE; what follows needs CAP_SYS_RESOURCE
    return helper.call(SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_START, to.arg_start) == 0 &&
           helper.call(SYS_prctl, PR_SET_MM, PR_SET_MM_ARG_END, to.arg_end) == 0 &&
           helper.call(SYS_prctl, PR_SET_MM, PR_SET_MM_ENV_START, to.env_start) == 0 &&
           helper.call(SYS_prctl, PR_SET_MM, PR_SET_MM_ENV_END, to.env_end) == 0;
}

void find_bounds(Setup& s, const HelperProcess& plain) {
    HelperProcess& helper = s.helpers.spawn();
    const Layout natural = layout_of(helper);
    const Block before = s.through(helper, "task_struct.mm", mm_bytes);
    Layout changed = natural;
    changed.arg_start += 1;
    changed.arg_end -= 2;
    changed.env_start += 1;
    changed.env_end -= 1;
    const bool can_change = set_bounds(helper, changed);
    const Layout now = layout_of(helper);
    const Block after = s.through(helper, "task_struct.mm", mm_bytes);
    const Block second = s.through(plain, "task_struct.mm", mm_bytes);
    const Layout second_layout = layout_of(plain);
    const auto places_of = [&](uint64_t Layout::*bound) {
        return places<uint64_t>(
            {{&before, natural.*bound}, {&after, now.*bound}, {&second, second_layout.*bound}});
    };
    s.found.settle("mm_struct.arg_start", places_of(&Layout::arg_start));
    auto arg_ends = places_of(&Layout::arg_end), env_starts = places_of(&Layout::env_start);
    if (!can_change && s.found.knows("mm_struct.arg_start")) {
        // The end of the arguments and the start of the environment cannot be distinguished by
        // their values. All four bounds in their order, one after another, can be no chance.
        constexpr uint32_t size = sizeof(uint64_t);
        const uint32_t start = s.found["mm_struct.arg_start"];
        const auto word = [&](uint32_t index) { return before.at<uint64_t>(start + index * size); };
        if (word(1) == natural.arg_end && word(2) == natural.env_start && word(3) == natural.env_end) {
            arg_ends = {start + size};
            env_starts = {start + 2 * size};
        }
    }
    s.found.settle("mm_struct.arg_end", arg_ends);
    s.found.settle("mm_struct.env_start", env_starts);
    s.found.settle("mm_struct.env_end", places_of(&Layout::env_end));
}

/// The pointer to the open file of the program: of the small one, or of ours.
void find_executable(Setup& s, const std::vector<std::unique_ptr<Executed>>& executed) {
    const auto inode_of = [&](int fd) {
        return s.memory.read_pointer(s.file(s.worker, fd) + s.found["file.f_inode"]);
    };
    const uint64_t small = inode_of(s.program_fd), own = inode_of(s.open("/proc/self/exe", O_RDONLY));
    std::vector<Block> spaces;
    std::vector<uint64_t> inodes;
    for (const auto& process : executed) {
        spaces.push_back(s.through(process->process(), "task_struct.mm", mm_bytes));
        inodes.push_back(small);
    }
    for (const HelperProcess* helper : {&s.worker, &s.other, s.children[0]}) {
        spaces.push_back(s.through(*helper, "task_struct.mm", mm_bytes));
        inodes.push_back(own);
    }
    std::vector<const Block*> blocks;
    for (const Block& space : spaces)
        blocks.push_back(&space);
    s.found.settle("mm_struct.exe_file", places_if(blocks, 8, [&](size_t offset) {
                       for (size_t i = 0; i < spaces.size(); i++) {
                           const auto file = spaces[i].at<uint64_t>(offset);
                           if (!is_heap_pointer(file) ||
                               s.memory.read_pointer(file + s.found["file.f_inode"]) != inodes[i])
                               return false;
                       }
                       return true;
                   }));
}

/// A count that goes up by one with each execution, and is inherited.
void find_exec_id(Setup& s, Executed& executed, const Block& before) {
    std::vector<Block> tasks = {before, s.task(executed.process())};
    for (int i = 0; i < 2; i++) {
        executed.execute();
        tasks.push_back(s.task(executed.process()));
    }
    const Block worker = s.task(s.worker), other = s.task(s.other);
    std::vector<const Block*> blocks = {&worker, &other};
    for (const Block& task : tasks)
        blocks.push_back(&task);
    s.found.settle("task_struct.self_exec_id", places_if(blocks, sizeof(uint32_t), [&](size_t offset) {
                       const auto start = tasks[0].at<uint32_t>(offset);
                       for (size_t i = 1; i < tasks.size(); i++)
                           if (tasks[i].at<uint32_t>(offset) != start + i)
                               return false;
                       return worker.at<uint32_t>(offset) == start && other.at<uint32_t>(offset) == start;
                   }));
}

} // namespace

void discover_memory(Setup& s) {
    std::vector<std::unique_ptr<Executed>> processes;
    // Names of several lengths, so that none has its command line where another has it.
    const char* const names[] = {"ebpf_telemetry", "a program of ebpf_telemetry's to discover offsets",
                                 "a program of ebpf_telemetry's, to discover offsets in the kernel's memory"};
    Block before;
    for (const char* name : names) {
        processes.push_back(std::make_unique<Executed>(s));
        before = s.task(processes.back()->process());
        processes.back()->execute(name);
    }
    Executed& last = *processes.back();
    find_pointer(s, processes);
    find_bounds(s, last.process());
    find_executable(s, processes);
    find_exec_id(s, last, before);
}

} // namespace ebpf_loader::discovery
