// SPDX-License-Identifier: LGPL-2.1
// What the threads of a process share, known by the count of those that live.
#include "loader/src/discovery/steps.hpp"

#include "loader/src/arch/raw_syscall.hpp"
#include "loader/src/base/text.hpp"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <optional>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t signal_bytes = 1024;

/// Waits until something holds, a few seconds at most.
template <typename Holds> void await(const char* what, Holds holds) {
    for (int tries = 0; !holds(); tries++) {
        if (tries == 20000)
            throw Unobservable(std::string(what) + " did not happen in time");
        const timespec pause{0, 200'000};
        nanosleep(&pause, nullptr);
    }
}

/// task_struct.signal and signal_struct.live
struct Count {
    uint32_t signal, live;
    bool operator==(const Count&) const = default;
};

/// Counts in what two tasks share, at each point of the process's life.
class Counts {
  public:
    Counts(const Setup& setup, const HelperProcess& process, const HelperProcess& thread) : setup_(setup) {
        const Block own = setup.task(process), other = setup.task(thread);
        const size_t length = std::min(own.size(), other.size());
        for (uint32_t offset = 0; offset + 8 <= length; offset += 8)
            if (is_heap_pointer(own.at<uint64_t>(offset)) &&
                own.at<uint64_t>(offset) == other.at<uint64_t>(offset))
                shared_.push_back({offset, own.at<uint64_t>(offset), {}});
    }

    void look(uint32_t count) {
        counts_.push_back(count);
        for (Shared& shared : shared_)
            shared.looks.push_back(setup_.memory.read(shared.address, signal_bytes));
    }

    std::vector<Count> fitting() const {
        std::vector<Count> found;
        for (const Shared& shared : shared_) {
            std::vector<Observation> observations;
            for (size_t i = 0; i < counts_.size(); i++)
                observations.push_back({&shared.looks[i], counts_[i]});
            for (uint32_t place : places<uint32_t>(observations))
                found.push_back({shared.offset, place});
        }
        return found;
    }

  private:
    struct Shared {
        uint32_t offset;
        uint64_t address;
        std::vector<Block> looks;
    };
    const Setup& setup_;
    std::vector<Shared> shared_;
    std::vector<uint32_t> counts_;
};

/// Lets a thread go into its exit and holds it there, where it still counts as alive;
/// then lets it end.
template <typename Look>
void exit_slowly(Setup& s, const HelperProcess& process, HelperProcess& thread, Look look) {
    HelperProcess& tracer = s.helpers.spawn();
    tracer.must("tracing a thread (ptrace)", SYS_ptrace, PTRACE_SEIZE, as_argument(thread.pid()), 0,
                PTRACE_O_TRACEEXIT);
    thread.begin(SYS_exit, 0);
    tracer.must("waiting for a thread to exit", SYS_wait4, as_argument(thread.pid()),
                as_argument(tracer.room(sizeof(int))), __WALL, 0);
    look();
    s.helpers.dismiss(tracer); // which lets the thread go
    await("the end of a thread", [&] {
        return raw_syscall(SYS_tgkill, as_argument(process.pid()), as_argument(thread.pid()), 0) == -ESRCH;
    });
}

/// What /proc/PID/stat has after the name in parentheses; empty if it cannot be read.
std::string stat_of(const HelperProcess& process) {
    const std::string text = read_file("/proc/" + std::to_string(process.pid()) + "/stat", 4096).value_or("");
    const size_t end = text.rfind(") ");
    return end == std::string::npos ? "" : text.substr(end + 2);
}

char state_of(const HelperProcess& process) {
    const std::string stat = stat_of(process);
    return stat.empty() ? '?' : stat[0];
}

/// task_struct.flags, of a process that has used its privileges and of others that have not.
void find_task_flags(Setup& s) {
    std::vector<Block> tasks;
    std::vector<uint64_t> flags;
    for (const HelperProcess* helper : {&s.worker, &s.other, s.children[0]}) {
        unsigned value = 0;
        if (sscanf(stat_of(*helper).c_str(), "%*c %*d %*d %*d %*d %*d %u", &value) != 1)
            throw Unobservable("/proc/PID/stat does not have a process's flags");
        tasks.push_back(s.task(*helper));
        flags.push_back(value);
    }
    std::vector<Observation> observations;
    for (size_t i = 0; i < tasks.size(); i++)
        observations.push_back({&tasks[i], flags[i]});
    s.found.settle("task_struct.flags", places<uint32_t>(observations));
}

/// Lives a process's life and finds what counts its threads.
std::vector<Count> count_threads(Setup& s) {
    HelperProcess& process = s.helpers.spawn();
    HelperProcess& thread = process.spawn(HelperProcess::Kind::thread);
    Counts counts(s, process, thread);
    counts.look(2);
    // One that shares memory and signal handlers, but is no thread of the process.
    HelperProcess& companion = process.spawn(HelperProcess::Kind::process_sharing_memory);
    counts.look(2);
    HelperProcess& second = process.spawn(HelperProcess::Kind::thread);
    counts.look(3);
    exit_slowly(s, process, thread, [&] { counts.look(3); });
    counts.look(2);
    s.helpers.dismiss(companion);
    // The first thread ends, but it is not gone: it waits for the second.
    process.begin(SYS_exit, 0);
    await("the end of a first thread", [&] { return state_of(process) == 'Z'; });
    counts.look(1);
    second.begin(SYS_exit, 0);
    process.await_zombie();
    return counts.fitting();
}

} // namespace

void discover_threads(Setup& s) {
    const auto found = in_both(count_threads(s), count_threads(s));
    s.found.settle("task_struct.signal", column(found, &Count::signal));
    s.found.settle("signal_struct.live", column(found, &Count::live));
    find_task_flags(s);
}

namespace {

/// A process in one state of its life: its task_struct and what its threads share.
struct Moment {
    Moment(const Setup& s, const HelperProcess& helper, uint32_t flags_then, uint32_t code_then)
        : task(s.task(helper)), shared(s.through(helper, "task_struct.signal", signal_bytes)),
          flags(flags_then), code(code_then) {}
    Block task, shared;
    uint32_t flags; ///< the low bits of signal_struct.flags
    uint32_t code;  ///< what wait(2) reports
};

constexpr uint32_t stopped = 1, continued = 2, group_exit = 4;

/// A stop and what follows it, without taking note of it: that would change it.
void await_state(HelperProcess& parent, const HelperProcess& helper, int options) {
    auto* info = parent.room(sizeof(siginfo_t));
    parent.must("waiting for a stop or its end", SYS_waitid, P_PID, as_argument(helper.pid()),
                as_argument(info), as_argument(options | WNOWAIT | __WALL));
}

} // namespace

void discover_exit(Setup& s) {
    HelperProcess& first = s.worker.spawn(); // its stop sends a signal to its parent, whoever that is
    HelperProcess& second = s.helpers.spawn();
    HelperProcess& third = s.helpers.spawn();
    for (HelperProcess* helper : {&first, &second}) // old kernels keep no note of the end of a single thread
        helper->spawn(HelperProcess::Kind::thread);
    std::vector<Moment> moments;
    moments.emplace_back(s, first, 0, 0);
    moments.emplace_back(s, second, 0, 0);
    kill(first.pid(), SIGSTOP);
    await_state(s.worker, first, WSTOPPED);
    const Moment stop(s, first, stopped, 0);
    kill(first.pid(), SIGCONT);
    await_state(s.worker, first, WCONTINUED);
    const Moment going_on(s, first, continued, 0);
    const auto end = [&](HelperProcess& helper, int status) {
        helper.begin(SYS_exit_group, static_cast<uint64_t>(status));
        helper.await_zombie();
        moments.emplace_back(s, helper, group_exit, static_cast<uint32_t>(status) << 8);
    };
    end(first, 0x5b);
    end(second, 0x2c);
    kill(third.pid(), SIGKILL);
    third.await_zombie();
    moments.emplace_back(s, third, group_exit, SIGKILL);

    // A stopped process has its signal there; what accounting keeps for itself does not.
    std::vector<Observation> exits, group_exits = {{&stop.shared, SIGSTOP}, {&going_on.shared, 0}};
    std::vector<const Block*> shared = {&stop.shared, &going_on.shared};
    for (const Moment& moment : moments) {
        exits.push_back({&moment.task, moment.code});
        group_exits.push_back({&moment.shared, moment.code});
        shared.push_back(&moment.shared);
    }
    s.found.settle("task_struct.exit_code", places<uint32_t>(exits));
    s.found.settle("signal_struct.group_exit_code", places<uint32_t>(group_exits));
    s.found.settle("signal_struct.flags", places_if(shared, sizeof(uint32_t), [&](size_t offset) {
                       const auto low = [&](const Moment& moment) {
                           return moment.shared.at<uint32_t>(offset) & (stopped | continued | group_exit);
                       };
                       return low(stop) == stop.flags && low(going_on) == going_on.flags &&
                              std::all_of(moments.begin(), moments.end(),
                                          [&](const Moment& moment) { return low(moment) == moment.flags; });
                   }));
}

} // namespace ebpf_loader::discovery
