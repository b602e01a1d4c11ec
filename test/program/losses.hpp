// SPDX-License-Identifier: MIT
#pragma once
// What tests of losses need: calls that are counted by those who make them, and the sums.
#include <cinttypes>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include <ebpf_loader/probe.hpp>

#include "test/program/running_program.hpp"

namespace losses {

using nlohmann::json;

using Lane = std::pair<int, int>; ///< CPU and slot

/// Why this kernel cannot have the tier; empty when it can.
inline std::string why_impossible(const std::string& tier) {
    for (const auto& verdict : ebpf_loader::judge_tiers(ebpf_loader::probe_kernel()))
        if (tier_name(verdict.tier) == tier)
            return verdict.possible ? "" : verdict.reason;
    return "there is no such tier";
}

inline std::vector<int> online_cpus() {
    std::vector<int> cpus;
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            cpus.push_back(cpu);
    return cpus;
}

inline void pin(pid_t pid, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(pid, sizeof one, &one);
}

/// The program gets a CPU only when nobody else wants it.
inline void make_idle(pid_t pid) {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(pid, SCHED_IDLE, &none), 0);
}

inline void make_usual(pid_t pid) {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(pid, SCHED_OTHER, &none), 0);
}

/// Children that make calls, and count each that they made.
class Callers {
  public:
    Callers() {
        void* shared =
            mmap(nullptr, sizeof *made_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
            throw std::runtime_error("no shared memory");
        made_ = static_cast<uint64_t*>(shared);
    }
    ~Callers() {
        join();
        munmap(made_, sizeof *made_);
    }
    Callers(const Callers&) = delete;
    Callers& operator=(const Callers&) = delete;

    using Call = void (*)();
    static void getppid_call() { syscall(SYS_getppid); }

    /// Starts one, on a CPU if so wished.
    void start(uint64_t count, int cpu = -1, Call call = getppid_call) {
        const pid_t child = fork();
        started_++;
        if (child != 0) {
            children_.push_back(child);
            return;
        }
        if (cpu >= 0)
            pin(0, cpu);
        for (uint64_t i = 0; i < count; i++) {
            call();
            __atomic_add_fetch(made_, 1, __ATOMIC_RELAXED);
        }
        _exit(0);
    }
    /// Starts one that goes on for so long.
    void start_for(std::chrono::milliseconds time, Call call) {
        using Clock = std::chrono::steady_clock;
        const pid_t child = fork();
        started_++;
        if (child != 0) {
            children_.push_back(child);
            return;
        }
        for (const auto end = Clock::now() + time; Clock::now() < end;)
            for (int i = 0; i < 100; i++) {
                call();
                __atomic_add_fetch(made_, 1, __ATOMIC_RELAXED);
            }
        _exit(0);
    }
    void start_on_each_cpu(uint64_t count, Call call = getppid_call) {
        for (const int cpu : online_cpus())
            start(count, cpu, call);
    }
    void join() {
        for (const pid_t child : children_)
            waitpid(child, nullptr, 0);
        children_.clear();
    }
    uint64_t made() const { return __atomic_load_n(made_, __ATOMIC_RELAXED); }

    uint64_t started() const { return started_; } ///< processes

  private:
    uint64_t started_ = 0;
    uint64_t* made_ = nullptr;
    std::vector<pid_t> children_;
};

/// An open that only these tests make: the mode, of no use here, is their sign.
inline constexpr long sign = 4242;
inline void open_nothing() {
    syscall(SYS_openat, AT_FDCWD, "/no/such", O_RDONLY, sign);
}

inline void set_id() {
    syscall(SYS_setuid, 0);
}

/// A process that takes on a user id and executes something.
inline void run_one() {
    const pid_t child = fork();
    if (child == 0) {
        syscall(SYS_setuid, 0);
        execl("/bin/true", "true", nullptr);
        _exit(127);
    }
    waitpid(child, nullptr, 0);
}

/// What a rule calls the event: a system call by its name, or one of the process events.
inline std::string called(const json& event) {
    if (event["linux"].contains("syscall"))
        return event["linux"]["syscall"]["name"];
    static const std::map<std::string, std::string> process_events = {
        {"fork", "process_fork"}, {"exec", "process_exec"}, {"end", "process_exit"}};
    return process_events.at(event["event"]["action"]);
}

inline std::map<std::string, uint64_t> count_actions(const std::vector<json>& events) {
    std::map<std::string, uint64_t> counts;
    for (const json& event : events)
        counts[called(event)]++;
    return counts;
}

/// What a stream of JSON says of itself.
struct Stream {
    explicit Stream(const std::string& text) {
        for (const std::string& line : lines_of(text)) {
            json event = json::parse(line);
            const json& telemetry = event["linux"]["telemetry"];
            if (telemetry.contains("loss")) {
                losses.push_back(telemetry);
                by_cause[telemetry["loss"]["cause"]] += telemetry["loss"]["count"].get<uint64_t>();
                continue;
            }
            const std::string id = event["event"]["id"], run = event["agent"]["ephemeral_id"];
            int cpu = 0, slot = 0;
            uint64_t sequence = 0;
            const int read = std::sscanf(id.c_str() + run.size(), "-%d-%d-%" SCNu64, &cpu, &slot, &sequence);
            EXPECT_EQ(read, 3) << id;
            EXPECT_TRUE(numbers[Lane(cpu, slot)].insert(sequence).second) << "twice: " << line;
            dropped += telemetry.value("dropped_before", uint64_t{0});
            events.push_back(std::move(event));
        }
    }

    /// Numbers in the loss's gap that did not come.
    uint64_t missing(const json& loss) const {
        const json& gap = loss["loss"]["gap"];
        const uint64_t first = gap["first"], last = gap["last"];
        const auto lane = numbers.find({loss["cpu"].get<int>(), loss["slot"].get<int>()});
        uint64_t came = 0;
        if (lane != numbers.end())
            for (auto at = lane->second.lower_bound(first); at != lane->second.end() && *at <= last; ++at)
                came++;
        return last + 1 - first - came;
    }

    std::vector<json> events, losses;
    std::map<std::string, uint64_t> by_cause;
    std::map<Lane, std::set<uint64_t>> numbers;
    uint64_t dropped = 0;
};

inline uint64_t lost_in_all(const json& summary) {
    uint64_t lost = 0;
    for (const auto& [cause, count] : summary["lost"].items())
        lost += count.get<uint64_t>();
    return lost;
}

/// seen = filtered + emitted + lost, and what was not filtered out is what was made; but for
/// what the kernel's own skipping of programs (since 7.0) may have kept from all counters.
inline void expect_balance(const json& summary, uint64_t made) {
    const uint64_t accounted = summary["emitted"].get<uint64_t>() + lost_in_all(summary);
    EXPECT_EQ(summary["imbalance"], 0) << summary;
    EXPECT_EQ(summary["in_flight"], 0);
    EXPECT_EQ(summary["seen"].get<uint64_t>(), summary["filtered"]["kernel"].get<uint64_t>() +
                                                   summary["filtered"]["rules"].get<uint64_t>() + accounted);
    EXPECT_LE(accounted, made) << summary;
    EXPECT_GE(accounted + summary["missed_runs"].get<uint64_t>(), made) << summary;
}

/// The stream alone proves the same.
inline void expect_proof(const Stream& stream, const json& summary) {
    const uint64_t lost = lost_in_all(summary);
    EXPECT_EQ(stream.events.size(), summary["emitted"].get<uint64_t>());
    EXPECT_EQ(stream.dropped, lost) << "each gap stands at the event after it";
    uint64_t reported = 0, missing = 0;
    std::set<std::string> gaps; // causes may share one
    for (const json& loss : stream.losses) {
        if (loss["loss"]["cause"].get<std::string>().starts_with("output_"))
            continue;
        ASSERT_TRUE(loss.contains("cpu")) << loss;
        ASSERT_TRUE(loss["loss"].contains("gap")) << loss;
        reported += loss["loss"]["count"].get<uint64_t>();
        if (gaps.insert(loss["cpu"].dump() + loss["slot"].dump() + loss["loss"]["gap"].dump()).second)
            missing += stream.missing(loss);
    }
    EXPECT_EQ(reported, lost);
    EXPECT_GE(missing, lost);
    EXPECT_LE(missing, lost + summary["filtered"]["rules"].get<uint64_t>())
        << "the gaps have room for no other";
}

struct Losses : testing::TestWithParam<const char*> {
    Losses() { write_rules("getppid"); }
    void SetUp() override {
        if (const std::string reason = why_impossible(GetParam()); !reason.empty())
            GTEST_SKIP() << reason;
    }
    /// Of the calls of this test's children; others are filtered out in the kernel.
    void write_rules(const std::string& call) {
        std::ofstream(rules_) << call << " ppid = " << getpid() << "\n";
    }
    /// The calls of this file, and processes that come and go.
    void write_rules_of_processes() const {
        const std::string own = std::to_string(getpid());
        std::ofstream(rules_) << "openat ppid = " << own << " && a3 = " << sign << "\n"
                              << "setuid ppid = " << own << "\n"
                              << "process_fork pid = " << own << "\n"
                              << "process_exec ppid = " << own << "\n"
                              << "process_exit ppid = " << own << "\n";
    }
    std::vector<std::string> arguments(std::initializer_list<std::string> more) const {
        std::vector<std::string> all = {"-c", usable_config(), "--tier", GetParam(), "-r",          rules_,
                                        "-f", "json",          "-o",     log_,       "--no-lineage"};
        all.insert(all.end(), more);
        return all;
    }
    bool tells_a_loss() const { return read_file(log_).find("\"cause\"") != std::string::npos; }
    /// Before Linux 5.1 a loss shows with what follows it, and so does a gap everywhere.
    void close_gaps(Callers::Call call = Callers::getppid_call) {
        EXPECT_TRUE(eventually([&] {
            callers_.start_on_each_cpu(1, call);
            callers_.join();
            return tells_a_loss();
        }));
        usleep(500'000);
        callers_.start_on_each_cpu(1, call);
        callers_.join();
    }
    /// Ends the program and checks everything: there are as many events as calls were made, and
    /// some others. Returns its summary.
    json finish(RunningProgram& program, uint64_t others = 0) {
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0) << program.err();
        const auto summaries = program.summaries();
        if (summaries.empty())
            return {};
        expect_balance(summaries.back(), callers_.made() + others);
        expect_proof(Stream(read_file(log_)), summaries.back());
        return summaries.back();
    }

    TemporaryFolder folder_;
    std::string rules_ = folder_.path() + "/rules", log_ = folder_.path() + "/events";
    Callers callers_;
};

} // namespace losses
