// SPDX-License-Identifier: MIT
// What the program takes for itself, in every tier: no more than --max-cpu and --max-memory let it,
// and what that costs is reported.
#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "test/program/losses.hpp"

namespace losses {

using namespace std::chrono_literals;

struct Limits : Losses {};

INSTANTIATE_TEST_SUITE_P(Tiers, Limits, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

void open_to_write() {
    close(static_cast<int>(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY, sign)));
}

/// Seconds of CPU that a process has used.
double cpu_of(pid_t pid) {
    clockid_t clock = 0;
    timespec time{};
    EXPECT_EQ(clock_getcpuclockid(pid, &clock), 0);
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

size_t resident(pid_t pid) {
    size_t size = 0, resident = 0;
    std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t count_of(const std::string& text, const std::string& what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        count++;
    return count;
}

/// What share of a CPU a process uses from here on.
class Usage {
  public:
    explicit Usage(pid_t pid) : pid_(pid), before_(cpu_of(pid)) {}
    double share() const {
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
        return (cpu_of(pid_) - before_) / time.count();
    }

  private:
    const pid_t pid_;
    const double before_;
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

TEST_P(Limits, OfCpuShedOrdinaryEventsAlone) {
    write_rules_of_processes();
    constexpr uint64_t processes = 15;
    RunningProgram program(arguments({"--max-cpu", "2", "--nice", "0", "--stats", "1"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const Usage usage(program.pid());
    for (int i = 0; i < 4; i++)
        callers_.start_for(3s, open_to_write);
    for (uint64_t i = 0; i < processes; i++) {
        std::this_thread::sleep_for(150ms);
        run_one();
    }
    callers_.join();
    const double share = usage.share();
    RecordProperty("cpu_percent", std::to_string(100 * share));
    EXPECT_LT(share, 1.35 * 0.02);
    close_gaps(open_nothing);
    const uint64_t forks = processes + callers_.started();
    const json summary = finish(program, 2 * forks + 2 * processes);
    const Stream stream(read_file(log_));
    EXPECT_GT(summary["lost"].value("max_cpu", uint64_t{0}), 10'000u);
    EXPECT_EQ(stream.by_cause.at("max_cpu"), summary["lost"]["max_cpu"]);
    auto reported = count_actions(stream.events);
    EXPECT_EQ(reported["process_fork"], forks);
    EXPECT_EQ(reported["process_exit"], forks);
    EXPECT_EQ(reported["process_exec"], processes);
    EXPECT_EQ(reported["setuid"], processes);
    EXPECT_GT(reported["openat"], 1000u) << "as many as there is time for";
    EXPECT_EQ(count_of(program.err(), "--max-cpu 2 is used up: ordinary events"), 1u) << program.err();
    EXPECT_GT(summary["max_cpu"]["times_shed"], 2);
    EXPECT_LE(summary["max_cpu"]["shed_ms"], summary["max_cpu"]["of_ms"]);
    EXPECT_EQ(summary["max_cpu"]["percent"], 2);
    ASSERT_GT(program.summaries().size(), 2u);
    EXPECT_GT(program.summaries()[1]["lost"].value("max_cpu", uint64_t{0}), 0u) << "by --stats";
}

TEST_P(Limits, OfCpuPauseTheReaderForVitalEvents) {
    write_rules("setuid");
    RunningProgram program(arguments({"--max-cpu", "2", "--nice", "0", "--buffer-size", "1M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const Usage usage(program.pid());
    for (int i = 0; i < 4; i++)
        callers_.start_for(2s, set_id);
    callers_.join();
    const double share = usage.share();
    RecordProperty("cpu_percent", std::to_string(100 * share));
    EXPECT_LT(share, 1.5 * 0.02);
    close_gaps(set_id);
    const json summary = finish(program);
    EXPECT_EQ(summary["lost"], json({{"buffer_full", lost_in_all(summary)}})) << "none is shed";
    EXPECT_GT(lost_in_all(summary), 0u);
    EXPECT_GT(summary["emitted"], 1000);
    EXPECT_GT(summary["max_cpu"]["paused_ms"], 0);
    EXPECT_EQ(count_of(program.err(), "the reader pauses"), 1u) << program.err();
}

TEST_P(Limits, OfCpuThatAreNotReachedCostNothing) {
    RunningProgram program(arguments({"--max-cpu", "100", "--max-memory", "200", "--nice", "0"}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(2000);
    callers_.join();
    const json summary = finish(program);
    EXPECT_EQ(summary["lost"], json::object());
    EXPECT_EQ(summary["emitted"], 2000);
    EXPECT_EQ(summary["max_cpu"]["shed_ms"], 0);
    EXPECT_EQ(summary["max_cpu"]["paused_ms"], 0);
    EXPECT_EQ(summary["max_memory"]["times_shrunk"], 0);
}

/// Executes something with a long command line, a different one each time.
void run_with_long_arguments(const std::vector<char*>& arguments) {
    const pid_t child = vfork();
    if (child == 0) {
        execv("/bin/true", arguments.data());
        _exit(127);
    }
    waitpid(child, nullptr, 0);
}

TEST_P(Limits, OfMemoryHoldThroughManyProcesses) {
    constexpr uint64_t forkers = 4, forks = 5000, execs = 1500;
    constexpr size_t limit = 36;
    std::ofstream(rules_) << "process_fork\nprocess_exec\nprocess_exit\n";
    RunningProgram program(arguments({"--max-memory", std::to_string(limit)}));
    ASSERT_TRUE(program.reports()) << program.err();
    for (uint64_t i = 0; i < forkers; i++)
        callers_.start(forks, -1, [] {
            const pid_t child = vfork(); // which copies no tables of pages
            if (child == 0)
                _exit(0);
            waitpid(child, nullptr, 0);
        });
    std::string words(30'000, 'x');
    std::string name = "true";
    const std::vector<char*> long_arguments = {name.data(), words.data(), nullptr};
    size_t most = 0;
    for (uint64_t i = 0; i < execs; i++) {
        words.replace(0, 8, std::to_string(10'000'000 + i));
        run_with_long_arguments(long_arguments);
        if (i % 16 == 0)
            most = std::max(most, resident(program.pid()));
    }
    callers_.join();
    std::this_thread::sleep_for(1500ms);
    most = std::max(most, resident(program.pid()));
    RecordProperty("resident_mib", std::to_string(most >> 20));
    EXPECT_LT(most, limit << 20);
    EXPECT_GT(most, size_t{4} << 20) << "it is this program's";
    program.send(SIGINT);
    ASSERT_EQ(program.wait(), 0) << program.err();
    const json summary = program.summaries().at(0);
    EXPECT_EQ(summary["imbalance"], 0);
    EXPECT_EQ(summary["in_flight"], 0);
    EXPECT_GE(summary["seen"], 2 * (forkers * forks + execs) + execs);
    EXPECT_EQ(summary["max_memory"]["bytes"], limit << 20);
    EXPECT_LE(summary["max_memory"]["most_resident"], limit << 20);
    EXPECT_GT(summary["max_memory"]["most_resident"], 4 << 20);
    EXPECT_LT(summary["cache"]["bytes"], limit << 20);
}

/// More rules than the limit leaves room for: nothing can be done about them.
TEST_P(Limits, OfMemoryThatAreExceededAreToldOnce) {
    std::ofstream rules(rules_);
    for (int i = 0; i < 64'000; i++)
        rules << "getppid ppid = " << getpid() << " && comm = \"none-" << i << "\"\n";
    rules << "getppid ppid = " << getpid() << "\n" << std::flush;
    RunningProgram program(arguments({"--max-memory", "30", "--duration", "20"}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(1000);
    callers_.join();
    std::this_thread::sleep_for(2500ms);
    const json summary = finish(program);
    EXPECT_EQ(summary["emitted"], 1000);
    EXPECT_GT(summary["max_memory"]["most_resident"], 30 << 20);
    EXPECT_GT(summary["max_memory"]["times_shrunk"], 0);
    EXPECT_EQ(count_of(program.err(), "is above --max-memory 30: the cache of processes is halved"), 1u)
        << program.err();
}

TEST_P(Limits, OfMemoryThatAreTooLowAreRefused) {
    RunningProgram program(arguments({"--max-memory", "10"}));
    EXPECT_EQ(program.wait(), 8);
    EXPECT_NE(program.err().find("fatal: --max-memory 10 is too low"), std::string::npos) << program.err();
    RunningProgram buffers(arguments({"--max-memory", "64", "--buffer-size", "1G"}));
    EXPECT_EQ(buffers.wait(), 8);
    EXPECT_NE(buffers.err().find("with a smaller --buffer-size"), std::string::npos) << buffers.err();
    RunningProgram tables(arguments({"--max-memory", "30", "--summary=1"})); // 30 do without
    EXPECT_EQ(tables.wait(), 8);
    EXPECT_NE(tables.err().find("--max-memory 30 is too low"), std::string::npos) << tables.err();
}

} // namespace losses
