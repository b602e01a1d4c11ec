// SPDX-License-Identifier: MIT
// What others change of the program's maps in the kernel is noticed within a second, in every tier.
#include <atomic>
#include <cerrno>
#include <sys/syscall.h>

#include <ebpf_loader/abi/plan.h>

#include "test/program/tampering.hpp"

using namespace program_test;

namespace {

INSTANTIATE_TEST_SUITE_P(Tiers, Tampering,
                         testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

/// A map of the program, or the reason why this kernel does not give it.
#define GET_MAP(variable, program, name)                                                                     \
    const UniqueFd variable = map_of((program).pid(), name);                                                 \
    if (!(variable))                                                                                         \
    GTEST_SKIP() << "Tampering." << GetParam() << ": this kernel does not name maps"

TEST_P(Tampering, OfWhoseCallsAreNotReported) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(settings, program, "settings");
    ASSERT_TRUE(change<ebt_settings>(settings, 0, [](ebt_settings& all) { all.self_tgid = 1; }));
    expect_repaired(program, "settings[0]");
}

TEST_P(Tampering, OfWhichCallsAreSelected) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(numbers, program, "numbers");
    ASSERT_TRUE(change<ebt_numbers>(numbers, SYS_getppid, [](ebt_numbers& rows) { rows = {}; }));
    expect_repaired(program, "numbers[" + std::to_string(SYS_getppid) + "]");
}

/// With nothing to look for, every record would be dropped for its paths.
TEST_P(Tampering, OfWhichPathsAreWanted) {
    std::ofstream(rules, std::ios::app) << "unlink path ^ /nowhere/\n";
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(screens, program, "screens");
    ASSERT_TRUE(change<ebt_screen>(screens, 0, [](ebt_screen& all) { all = {}; }));
    expect_repaired(program, "screens[0]");
}

TEST_P(Tampering, OfHowProgramsGoOn) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(stages, program, "stages");
    ASSERT_TRUE(remove(stages, 0));
    expect_repaired(program, "stages[0]");
}

/// Root can switch off all kprobes that use ftrace, while they stay attached.
TEST_P(Tampering, OfWhetherKprobesRun) {
    const std::string enabled = "/proc/sys/kernel/ftrace_enabled";
    std::ofstream(rules, std::ios::app) << "unlink comm = " << caller << "\n";
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    if (access(enabled.c_str(), W_OK) != 0 ||
        program.err().find("cannot attach kprobes") != std::string::npos)
        GTEST_SKIP() << "Tampering." << GetParam()
                     << ": this kernel has no kprobes, or they do not use ftrace";
    std::ofstream(enabled) << "0";
    expect_repaired(program, enabled);
    EXPECT_EQ(read_file(enabled), "1\n");
}

/// Calls on every CPU, whose records meet what was changed.
void call_on_each_cpu() {
    for (const int cpu : losses::online_cpus())
        call_getppid(caller, 5, cpu);
}

struct PerfBufferTampering : Tampering {
    /// As another process, which takes the program's descriptors.
    void ask(RunningProgram& program, unsigned long request, uint64_t argument) {
        if (syscall(SYS_pidfd_getfd, -1, 0, 0) != 0 && errno == ENOSYS)
            GTEST_SKIP() << "PerfBufferTampering." << GetParam() << ": this kernel has no pidfd_getfd (5.6)";
        ASSERT_GE(ask_perf_events(program.pid(), request, argument), 2);
        call_on_each_cpu();
        expect_repaired(program, "the perf buffer of CPU");
    }
};
INSTANTIATE_TEST_SUITE_P(Tiers, PerfBufferTampering,
                         testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops"),
                         [](const auto& tier) { return std::string(tier.param); });

/// Those of hooks, too: their programs run all the same.
TEST_P(PerfBufferTampering, ByDisabling) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    ask(program, PERF_EVENT_IOC_DISABLE, 0);
}

TEST_P(PerfBufferTampering, ByPausing) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    ask(program, PERF_EVENT_IOC_PAUSE_OUTPUT, 1);
}

TEST_P(PerfBufferTampering, ByTakingOut) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(events, program, "events");
    for (const int cpu : losses::online_cpus())
        ASSERT_TRUE(remove(events, static_cast<uint32_t>(cpu)));
    call_on_each_cpu();
    expect_repaired(program, "the perf buffer of CPU");
}

/// Records go to somebody else, and nothing counts as lost meanwhile.
TEST_P(PerfBufferTampering, ByReplacing) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(events, program, "events");
    std::vector<UniqueFd> own;
    for (const int cpu : losses::online_cpus()) {
        own.push_back(own_buffer(cpu));
        ASSERT_TRUE(put(events, static_cast<uint32_t>(cpu), own.back().get()));
    }
    call_on_each_cpu();
    expect_repaired(program, "the perf buffer of CPU");
}

struct RingTampering : Tampering {};
INSTANTIATE_TEST_SUITE_P(Tiers, RingTampering, testing::Values("raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_P(RingTampering, ByMovingItsPosition) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(events, program, "events");
    if (type_of(events) != BPF_MAP_TYPE_RINGBUF)
        GTEST_SKIP() << "RingTampering." << GetParam() << ": this kernel has no ring buffer";
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* const position = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, events.get(), 0);
    ASSERT_NE(position, MAP_FAILED);
    call_on_each_cpu();
    std::atomic_ref(*static_cast<unsigned long*>(position)) += 1 << 30;
    call_on_each_cpu();
    expect_repaired(program, "the ring buffer's position");
    munmap(position, page);
}

/// No kernel lets others detach or change the links of these hooks; one that does would be noticed.
TEST_P(Tampering, OfLinksIsRefusedOrNoticed) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    const std::vector<UniqueFd> links = links_of(program.pid());
    if (links.empty())
        GTEST_SKIP() << "Tampering." << GetParam() << ": this kernel has no links for these hooks";
    const UniqueFd idle = idle_program(std::strcmp(GetParam(), "tp") == 0 ? BPF_PROG_TYPE_TRACEPOINT
                                                                          : BPF_PROG_TYPE_RAW_TRACEPOINT);
    ASSERT_TRUE(idle);
    int changed = 0;
    for (const UniqueFd& link : links) {
        ASSERT_TRUE(link);
        changed += swap_program(link, idle);
        changed += detach(link);
    }
    if (changed == 0) {
        call_getppid(caller, 7);
        EXPECT_TRUE(eventually([&] { return events() == 7; })) << "nothing is hidden";
        EXPECT_EQ(losses_of("tampered"), 0u);
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0);
    } else {
        EXPECT_EQ(program.wait(), 10);
        EXPECT_THAT(program.err(), HasSubstr("the link of program"));
    }
}

/// A program of the type BPF_PROG_TYPE_EXT replaces functions of another one, and nobody would notice: the
/// kernel allows that only for programs that it knows the functions of.
TEST_P(Tampering, ByReplacingFunctionsIsImpossible) {
    RunningProgram program(with_tier());
    ASSERT_TRUE(program.reports()) << program.err();
    size_t programs = 0;
    for (const int number : descriptors(program.pid(), "anon_inode:bpf-prog")) {
        const std::string text =
            read_file("/proc/" + std::to_string(program.pid()) + "/fdinfo/" + std::to_string(number));
        const size_t at = text.find("prog_id:");
        if (at == std::string::npos)
            GTEST_SKIP() << "Tampering." << GetParam()
                         << ": this kernel does not say which programs these are";
        bpf_attr by_id{};
        by_id.prog_id = static_cast<uint32_t>(std::stoul(text.substr(at + 8)));
        const UniqueFd fd(bpf(BPF_PROG_GET_FD_BY_ID, by_id));
        bpf_prog_info info{};
        bpf_attr ask{};
        ask.info.bpf_fd = static_cast<uint32_t>(fd.get());
        ask.info.info_len = sizeof info;
        ask.info.info = reinterpret_cast<uint64_t>(&info);
        ASSERT_EQ(bpf(BPF_OBJ_GET_INFO_BY_FD, ask), 0);
        EXPECT_EQ(info.btf_id, 0u) << info.name;
        ++programs;
    }
    EXPECT_GT(programs, 0u);
}

TEST_P(Tampering, EndsTheRunOnRequest) {
    RunningProgram program(with_tier({"--on-tampering", "end"}));
    ASSERT_TRUE(program.reports()) << program.err();
    GET_MAP(settings, program, "settings");
    ASSERT_TRUE(change<ebt_settings>(settings, 0, [](ebt_settings& all) { all.self_tgid = 1; }));
    EXPECT_EQ(program.wait(), 10);
    EXPECT_EQ(losses_of("tampered"), 1u);
    EXPECT_THAT(program.err(), HasSubstr("and the run ends"));
}

TEST_P(Tampering, IsNothingThatTheProgramDoesItself) {
    RunningProgram program(with_tier({"--max-cpu", "1", "--duration", "3"})); // it sheds, by its settings
    ASSERT_TRUE(program.reports()) << program.err();
    for (int i = 0; i < 10; ++i)
        call_getppid(caller, 20'000);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(losses_of("tampered"), 0u) << program.err();
}

} // namespace
