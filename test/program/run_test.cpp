// SPDX-License-Identifier: MIT
// Real runs on the real kernel, each with a process that makes a known number of calls.
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <gmock/gmock.h>

#include <ebpf_loader/probe.hpp>

#include "test/io_uring.hpp"
#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

TEST_F(Run, EndsOnSignalWithABalance) {
    for (int signal : {SIGINT, SIGTERM}) {
        RunningProgram program(arguments({}));
        ASSERT_TRUE(program.reports()) << program.err();
        call_getppid(caller, 100);
        call_getppid("ebt_other", 50);
        program.send(signal);
        EXPECT_EQ(program.wait(), 0);
        auto events = parsed(program.out());
        EXPECT_EQ(events.size(), 100u);
        for (const json& event : events)
            EXPECT_EQ(event["linux"]["syscall"]["name"], "getppid");
        auto summaries = program.summaries();
        ASSERT_EQ(summaries.size(), 1u) << program.err();
        expect_balance(summaries[0]);
        EXPECT_EQ(summaries[0]["emitted"], 100);
        EXPECT_GE(summaries[0]["filtered"]["rules"], 50);
        EXPECT_EQ(summaries[0]["outputs"][0]["written"], 100);
    }
}

/// Why this kernel cannot have the tier; empty when it can.
std::string why_impossible(const std::string& tier) {
    for (const auto& verdict : ebpf_loader::judge_tiers(ebpf_loader::probe_kernel()))
        if (tier_name(verdict.tier) == tier)
            return verdict.possible ? "" : verdict.reason;
    return "there is no such tier";
}

struct EveryTier : Run, testing::WithParamInterface<const char*> {};

TEST_P(EveryTier, DeliversEveryCallOnce) {
    if (const std::string reason = why_impossible(GetParam()); !reason.empty())
        GTEST_SKIP() << reason;
    RunningProgram program(arguments({"--tier", GetParam()}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 1000);
    usleep(500'000); // an emulated processor cannot read them all within the time of the end
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    auto events = parsed(program.out());
    std::erase_if(events,
                  [](const json& event) { return event["event"]["kind"] != "event"; }); // losses of others
    EXPECT_EQ(events.size(), 1000u) << program.summaries().at(0);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events[0]["linux"]["telemetry"]["tier"], GetParam());
    expect_balance(program.summaries().at(0));
}

INSTANTIATE_TEST_SUITE_P(Tiers, EveryTier,
                         testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_F(Run, TellsLossesInTheStreamAndBalances) {
    RunningProgram program({"-c", "none", "-r", all_rules, "-f", "json", "-o", log, "--buffer-size", "128K"});
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP); // a reader that is too slow
    call_getppid(caller, 20'000);
    program.send(SIGCONT);
    const auto call_on_each_cpu = [](int count) {
        for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++)
            call_getppid(caller, count, cpu);
    };
    ASSERT_TRUE(eventually([&] {
        call_on_each_cpu(1); // before Linux 5.1 a loss shows with what follows it
        return read_file(log).find("\"cause\"") != std::string::npos;
    }));
    call_on_each_cpu(100);
    usleep(500'000);     // so that these all find room:
    call_on_each_cpu(1); // a gap shows with what follows it, everywhere
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    json summary = program.summaries().at(0);
    expect_balance(summary);
    uint64_t lost = summary["lost"].value("buffer_full", uint64_t{0});
    EXPECT_GT(lost, 10'000u);
    uint64_t reported = 0, dropped = 0;
    for (const json& event : parsed(read_file(log))) {
        const json& telemetry = event["linux"]["telemetry"];
        dropped += telemetry.value("dropped_before", uint64_t{0});
        if (telemetry.contains("loss"))
            reported += telemetry["loss"]["count"].get<uint64_t>();
    }
    EXPECT_EQ(reported, lost);
    EXPECT_EQ(dropped, lost) << "each gap stands at the event after it";
}

TEST_F(Run, PrintsStatisticsWhileItRunsAndEndsInTime) {
    RunningProgram program(arguments({"--stats", "0.4", "--duration", "2"}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 10);
    EXPECT_EQ(program.wait(), 0);
    auto summaries = program.summaries();
    EXPECT_GE(summaries.size(), 4u);
    for (const json& summary : summaries)
        EXPECT_EQ(summary["imbalance"], 0);
    EXPECT_EQ(summaries.back()["emitted"], 10);
    expect_balance(summaries.back());
}

TEST_F(Run, PrintsTheBalanceForPeopleToo) {
    RunningProgram program({"-c", "none", "-r", rules});
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 3);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    auto lines = lines_of(program.out());
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_THAT(lines[0], HasSubstr(" syscall=getppid "));
    EXPECT_THAT(lines[0], HasSubstr(" comm=\"" + caller + "\""));
    EXPECT_THAT(program.err(),
                testing::ContainsRegex("events: [0-9]+ seen = [0-9]+ filtered .* \\+ 3 emitted \\+ 0 lost"));
}

TEST_F(Run, OpensAsManyFilesAsItNeeds) {
    const auto allow_few = [] {
        rlimit few{};
        getrlimit(RLIMIT_NOFILE, &few);
        few.rlim_cur = 16;
        setrlimit(RLIMIT_NOFILE, &few);
    };
    for (const char* tier : {"tp", "raw_tp"}) {
        if (!why_impossible(tier).empty())
            continue;
        RunningProgram program(arguments({"--tier", tier, "--duration", "0.3"}), {.last = allow_few});
        EXPECT_EQ(program.wait(), 0) << program.err();
    }
}

TEST_F(Run, SaysThatItMayNotOpenEnoughFiles) {
    const auto allow_few_for_good = [] {
        prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
        const rlimit few{16, 16};
        setrlimit(RLIMIT_NOFILE, &few);
    };
    RunningProgram program(arguments({}), {.last = allow_few_for_good});
    EXPECT_EQ(program.wait(), 8);
    EXPECT_THAT(program.err(), HasSubstr("LimitNOFILE="));
}

TEST_F(Run, SaysThatProcIsMissing) {
    const auto hide_proc = [] {
        unshare(CLONE_NEWNS);
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        umount2("/proc", MNT_DETACH);
    };
    RunningProgram program(arguments({}), {.last = hide_proc});
    EXPECT_EQ(program.wait(), 8);
    EXPECT_THAT(program.err(), HasSubstr("mount -t proc proc /proc"));
}

TEST_F(Run, RefusesClocksThatAreNotTheKernels) {
    if (access("/proc/self/timens_offsets", F_OK) != 0)
        GTEST_SKIP() << "this kernel has no time namespaces";
    const auto shift_clocks = [] {
        constexpr std::string_view offset = "boottime 1000 0";
        unshare(CLONE_NEWTIME); // of children, and of what is executed
        const int file = open("/proc/self/timens_offsets", O_WRONLY);
        if (write(file, offset.data(), offset.size()) < 0)
            _exit(1);
        close(file);
    };
    RunningProgram program(arguments({}), {.last = shift_clocks});
    EXPECT_EQ(program.wait(), 8);
    EXPECT_THAT(program.err(), HasSubstr("time namespace"));
}

/// /proc of another PID namespace, as a container without hostPID may have it mounted.
TEST_F(Run, NamesThePidNamespace) {
    const auto enter = [] {
        if (unshare(CLONE_NEWPID) != 0)
            _exit(126);
        const pid_t inside = fork();
        if (inside == 0)
            return;
        int status = 0;
        waitpid(inside, &status, 0);
        _exit(WEXITSTATUS(status));
    };
    RunningProgram program(arguments({}), {.before = enter});
    EXPECT_EQ(program.wait(), 8);
    EXPECT_THAT(program.err(), HasSubstr("PID namespace"));
    EXPECT_THAT(program.err(), HasSubstr("hostPID"));
    EXPECT_THAT(program.err(), Not(HasSubstr("offsets")));
}

TEST_F(Run, FollowsTheNameOfTheHost) {
    ASSERT_EQ(unshare(CLONE_NEWUTS), 0); // the program's too, but not the machine's
    ASSERT_EQ(sethostname("before", 6), 0);
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 1);
    ASSERT_TRUE(eventually([&] { return !program.out().empty(); }));
    ASSERT_EQ(sethostname("after", 5), 0);
    call_getppid(caller, 1);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const auto events = parsed(program.out());
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0]["host"]["name"], "before");
    EXPECT_EQ(events[1]["host"]["name"], "after");
}

/// Until its first event a process can write anything over its arguments, and the event says that it could.
TEST_F(Run, SaysWhoseArgumentsMayBeOverwritten) {
    std::ofstream(rules) << "unlinkat comm = " << caller << "\n";
    RunningProgram program(arguments({"-o", log, "--no-lineage"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, caller.c_str());
        program_invocation_name[0] = '#'; // where the kernel put it
        unlinkat(AT_FDCWD, "/no/such/file", 0);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const std::vector<json> events = parsed(read_file(log));
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events[0]["process"]["args"][0].get<std::string>()[0], '#');
    EXPECT_THAT(events[0]["linux"]["telemetry"]["user_memory"].dump(), HasSubstr("process.args"));
}

/// What goes through a ring without a hook is no event: the log says so at the start, and it is counted.
TEST_F(Run, CountsWhatIoUringDoesUnseen) {
    io_uring_test::Ring ring;
    if (!ring.is_there())
        GTEST_SKIP() << "this kernel has no io_uring, or does not allow it";
    std::ofstream(rules, std::ios::app)
        << "openat comm = " << caller << "\nstatx path = " << folder.path() << "\n";
    RunningProgram program(arguments({"--no-witness", "-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    const std::string path = folder.path() + "/through_a_ring";
    if (ring.run(io_uring_test::on_path(IORING_OP_OPENAT, path, 0600, O_CREAT | O_RDWR)) < 0)
        GTEST_SKIP() << "this kernel's io_uring opens no files";
    ring.run(io_uring_test::operation(IORING_OP_NOP, -1));      // like no call
    ring.run(io_uring_test::on_path(IORING_OP_UNLINKAT, path)); // like one that is not selected
    const auto told = [&] {
        uint64_t count = 0;
        for (const json& line : parsed(read_file(log)))
            if (line["event"]["action"] == "loss" &&
                line["linux"]["telemetry"]["loss"]["cause"] == "unseen_operation")
                count += line["linux"]["telemetry"]["loss"]["count"].get<uint64_t>();
        return count;
    };
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const json summary = program.summaries().at(0);
    expect_balance(summary);
    EXPECT_THAT(program.err(),
                testing::HasSubstr("through io_uring that is like these selected calls: openat, statx; "
                                   "it is counted"));
    EXPECT_EQ(summary["unseen_operations"], 1) << "unless another program here uses io_uring";
    EXPECT_EQ(told(), summary["unseen_operations"]);
}

TEST_F(Run, KnowsTheExecutableOfWhatEnds) {
    const std::string file = folder.path() + "/ends_badly";
    std::filesystem::copy("/bin/false", file);
    std::ofstream(rules) << "process_exit exe = " << file << "\nprocess_exit comm = " << caller << "\n";
    RunningProgram program(arguments({}));
    ASSERT_TRUE(program.reports()) << program.err();
    const int status = system(file.c_str()); // 1, or busybox's 127: it has no such applet
    EXPECT_NE(status, 0);
    call_getppid(caller, 1);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    expect_balance(program.summaries().at(0));
    auto events = parsed(program.out());
    ASSERT_EQ(events.size(), 2u) << "no other, and what is only watched is not reported";
    EXPECT_EQ(events[0]["process"].value("executable", ""), file) << events[0];
    EXPECT_EQ(events[0]["process"]["exit_code"], WEXITSTATUS(status));
    EXPECT_EQ(events[1]["process"].value("executable", ""), std::filesystem::read_symlink("/proc/self/exe"));
}

/// A machine whose every CPU is wanted must not keep it from reading.
TEST_F(Run, GoesBeforeOthers) {
    for (const auto& [option, nice] : {std::pair<const char*, int>{"", -10}, {"5", 5}}) {
        auto all = arguments({});
        if (*option)
            all.insert(all.end(), {"--nice", option});
        RunningProgram program(all);
        ASSERT_TRUE(program.reports()) << program.err();
        EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(program.pid())), nice);
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0);
    }
    RunningProgram wrong(arguments({"--nice", "20"}));
    EXPECT_EQ(wrong.wait(), 2);
    EXPECT_THAT(wrong.err(), HasSubstr("--nice is a number from -20 to 19"));
}

TEST_F(Run, NeverReportsItself) {
    // Were it to, each line that it writes would make another.
    std::ofstream(rules) << "write\nwritev\nopenat\nread\n";
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    usleep(500'000);
    auto own = std::to_string(program.pid());
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    auto events = parsed(read_file(log));
    EXPECT_FALSE(events.empty());
    for (const json& event : events)
        EXPECT_NE(event["process"]["pid"].dump(), own) << event;
}

} // namespace
