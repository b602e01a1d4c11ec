// SPDX-License-Identifier: MIT
// Who is lost first when there is too much, in every tier.
#include <sys/stat.h>

#include <chrono>
#include <cmath>

#include "test/program/losses.hpp"

namespace losses {

struct Shedding : Losses {};

INSTANTIATE_TEST_SUITE_P(Tiers, Shedding, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_P(Shedding, ExecsExitsForksAndCredentialsGoLast) {
    write_rules_of_processes();
    constexpr uint64_t processes = 25;
    RunningProgram program(arguments({"--buffer-size", "1M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    callers_.start_on_each_cpu(10'000, open_nothing);
    callers_.join();
    for (uint64_t i = 0; i < processes; i++) {
        callers_.start(100, -1, open_nothing);
        run_one();
        callers_.join();
    }
    program.send(SIGCONT);
    close_gaps(open_nothing);
    const uint64_t forks = processes + callers_.started();
    const json summary = finish(program, 2 * forks + 2 * processes);
    EXPECT_GT(summary["lost"].value("buffer_full", uint64_t{0}), 10'000u);
    auto reported = count_actions(Stream(read_file(log_)).events);
    EXPECT_EQ(reported["process_fork"], forks);
    EXPECT_EQ(reported["process_exit"], forks);
    EXPECT_EQ(reported["process_exec"], processes);
    EXPECT_EQ(reported["setuid"], processes);
    EXPECT_LT(reported["openat"], callers_.made());
}

TEST_P(Shedding, LimitOfEventsPerProcess) {
    constexpr uint64_t limit = 100;
    const std::string own = std::to_string(getpid());
    std::ofstream(rules_) << "openat ppid = " << own << " && a3 = " << sign << "\nsetuid ppid = " << own
                          << "\n";
    RunningProgram program(arguments({"--max-events-per-process", std::to_string(limit)}));
    ASSERT_TRUE(program.reports()) << program.err();
    timespec begin{}, end{};
    clock_gettime(CLOCK_MONOTONIC, &begin);
    callers_.start(20'000, -1, open_nothing);
    callers_.start(limit, -1, open_nothing);
    callers_.start(10 * limit, -1, set_id);
    callers_.join();
    clock_gettime(CLOCK_MONOTONIC, &end);
    const auto seconds = static_cast<uint64_t>(end.tv_sec - begin.tv_sec + 1); // some only in part
    close_gaps(set_id);
    const json summary = finish(program);
    EXPECT_EQ(summary["lost"], json({{"rate_limit", lost_in_all(summary)}}));
    std::map<uint64_t, uint64_t> opens; // by process
    uint64_t setuids = 0;
    for (const json& event : Stream(read_file(log_)).events)
        if (event["linux"]["syscall"]["name"] == "setuid")
            setuids++;
        else
            opens[event["process"]["pid"].get<uint64_t>()]++;
    EXPECT_EQ(setuids, callers_.made() - 20'000 - limit) << "not limited";
    ASSERT_EQ(opens.size(), 2u);
    const auto [fewer, more] = std::minmax(opens.begin()->second, opens.rbegin()->second);
    EXPECT_EQ(fewer, limit) << "who keeps within it loses nothing";
    EXPECT_GE(more, limit);
    EXPECT_LE(more, limit * seconds);
}

/// Seconds that a number of calls takes, on one CPU.
double storm(Callers& callers) {
    const auto begin = std::chrono::steady_clock::now();
    callers.start(100'000, online_cpus().back());
    callers.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The best of some: the machine may be busy with other things.
double best_of_storms(Callers& callers) {
    double best = storm(callers);
    for (int i = 0; i < 5; i++)
        best = std::min(best, storm(callers));
    return best;
}

/// Of what the round before has left there.
void empty(int fifo) {
    char bytes[65536];
    while (read(fifo, bytes, sizeof(bytes)) > 0) {
    }
}

/// Nobody but the program itself notices an output that takes nothing.
TEST_P(Shedding, StalledOutputDoesNotSlowTheWorkload) {
    const std::string fifo = folder_.path() + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); // who never reads
    ASSERT_GE(reader, 0);
    const auto measure = [&](const std::string& output) {
        std::vector<std::string> all = {"-c", usable_config(), "--tier",      GetParam(), "-r", rules_,
                                        "-f", "json",          "--no-lineage"};
        all.insert(all.end(), {"-o", output});
        RunningProgram program(all);
        EXPECT_TRUE(program.reports()) << program.err();
        const double seconds = best_of_storms(callers_);
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0) << program.err();
        const json sink = program.summaries().at(0)["outputs"][0];
        EXPECT_EQ(sink["lost"] > 0, output == fifo) << sink;
        return seconds;
    };
    // Pairs, each within a moment: the machine's speed changes by as much from one to the next. A workload
    // that is slowed is so in all of them.
    constexpr double most = 1.5;
    double ratio = INFINITY;
    for (int round = 0; round < 6 && ratio >= most; round++) {
        const double without = measure("/dev/null");
        empty(reader); // an output that takes nothing at all is an error of its own
        ratio = std::min(ratio, measure(fifo) / without);
    }
    RecordProperty("times", std::to_string(ratio));
    EXPECT_LT(ratio, most);
    close(reader);
}

} // namespace losses
