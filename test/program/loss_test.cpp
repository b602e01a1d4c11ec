// SPDX-License-Identifier: MIT
// The ledger's equation in every tier, under every cause of loss that can be provoked, against the
// calls that were really made: those who make them count them.
#include <sys/stat.h>

#include "test/program/losses.hpp"

namespace losses {

INSTANTIATE_TEST_SUITE_P(Tiers, Losses, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_P(Losses, StoppedReader) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    callers_.start(20'000);
    callers_.join();
    program.send(SIGCONT);
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 10'000u);
}

TEST_P(Losses, StormOnOneCpu) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const int cpu = online_cpus().front();
    pin(program.pid(), cpu);
    make_idle(program.pid());
    callers_.start(100'000, cpu);
    callers_.join();
    make_usual(program.pid());
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 0u);
}

TEST_P(Losses, StormOnAllCpusIntoATinyBuffer) {
    RunningProgram program(arguments({"--buffer-size", "128K"}));
    ASSERT_TRUE(program.reports()) << program.err();
    make_idle(program.pid());
    callers_.start_on_each_cpu(50'000);
    callers_.join();
    make_usual(program.pid());
    close_gaps();
    EXPECT_GT(finish(program)["lost"].value("buffer_full", uint64_t{0}), 0u);
}

TEST_P(Losses, StalledOutput) {
    const std::string fifo = folder_.path() + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); // who never reads
    ASSERT_GE(reader, 0);
    RunningProgram program(arguments({"-o", fifo, "--buffer-size", "16M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(20'000);
    callers_.join();
    EXPECT_TRUE(eventually([&] { return tells_a_loss(); }));
    const json summary = finish(program);
    const json &good = summary["outputs"][0], &stalled = summary["outputs"][1];
    EXPECT_EQ(summary["lost"], json::object()) << "the other output has them all";
    EXPECT_EQ(good["lost"], 0);
    EXPECT_EQ(good["written"], callers_.made());
    EXPECT_GT(stalled["lost"], 0);
    EXPECT_EQ(stalled["written"].get<uint64_t>() + stalled["lost"].get<uint64_t>(), callers_.made());
    EXPECT_EQ(Stream(read_file(log_)).by_cause["output_file"], stalled["lost"]);
    std::string taken(1 << 20, '\0'); // more than a pipe holds
    const ssize_t bytes = read(reader, taken.data(), taken.size());
    taken.resize(std::max<ssize_t>(bytes, 0));
    taken.resize(taken.rfind('\n') + 1); // the last line may have been begun alone
    const auto lines = lines_of(taken);
    const auto events = std::ranges::count_if(
        lines, [](const std::string& line) { return line.find("getppid") != line.npos; });
    EXPECT_EQ(events, stalled["written"]) << "what is counted as written was";
    close(reader);
}

TEST_P(Losses, FieldsThatAreNotInMemory) {
    write_rules("openat");
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start(500, -1, [] { syscall(SYS_openat, AT_FDCWD, 4096, O_RDONLY); });
    callers_.join();
    const json summary = finish(program);
    EXPECT_EQ(summary["emitted"], 500);
    EXPECT_EQ(summary["field_faults"], 500);
    for (const json& event : Stream(read_file(log_)).events)
        EXPECT_EQ(event["linux"]["telemetry"]["fault"], json({"file.path"})) << event;
}

/// Takes a CPU offline and online, if the machine lets us.
class CpuSwitch {
  public:
    explicit CpuSwitch(int cpu) : file_("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online") {}
    ~CpuSwitch() { set("1"); }
    CpuSwitch(const CpuSwitch&) = delete;
    CpuSwitch& operator=(const CpuSwitch&) = delete;
    bool set(const std::string& state) const {
        std::ofstream file(file_);
        return bool(file << state << std::flush);
    }

  private:
    std::string file_;
};

TEST_P(Losses, CpuThatGoesAndComesBack) {
    const std::vector<int> cpus = online_cpus();
    const CpuSwitch last(cpus.back());
    if (cpus.size() < 2 || !last.set("1"))
        GTEST_SKIP() << "no CPU of this machine can be taken offline";
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    callers_.start_on_each_cpu(1000);
    callers_.join(); // all of them on their CPU, or those on the last would not count before
    ASSERT_TRUE(last.set("0"));
    callers_.start_on_each_cpu(1000); // where they can
    callers_.join();
    ASSERT_TRUE(last.set("1"));
    callers_.start_on_each_cpu(1000); // some of which may find no perf buffer yet
    callers_.join();
    sleep(2);
    const uint64_t before = callers_.made();
    callers_.start_on_each_cpu(1000); // these do
    callers_.join();
    const json summary = finish(program);
    EXPECT_GE(callers_.made(), before + 1000 * cpus.size());
    const Stream stream(read_file(log_));
    uint64_t on_last = 0;
    for (const auto& [lane, numbers] : stream.numbers)
        if (lane.first == cpus.back())
            on_last += numbers.size();
    EXPECT_GE(on_last, 2000u) << "before and after";
    for (const auto& [cause, count] : summary["lost"].items())
        EXPECT_EQ(cause, "no_buffer") << count;
}

} // namespace losses
