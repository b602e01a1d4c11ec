// SPDX-License-Identifier: MIT
// What the program may still do once it reports events (docs/security.md), as the kernel has it, in every
// tier; and that it still does everything.
#include <cstdlib>
#include <filesystem>
#include <linux/capability.h>
#include <map>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "telemetry/rights/capabilities.hpp"
#include "test/program/losses.hpp"
#include "test/program/run_fixture.hpp"

using namespace program_test;
using telemetry::capability;
using telemetry::CapabilityMask;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A line of a status file of /proc.
uint64_t number_of(const std::string& status, const std::string& name, int base) {
    const size_t at = status.find("\n" + name + ":\t");
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0 : std::strtoull(status.c_str() + at + name.size() + 3, nullptr, base);
}

/// Of the main thread, and of all others.
struct Threads {
    explicit Threads(pid_t pid) {
        const std::string folder = "/proc/" + std::to_string(pid) + "/task";
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            (entry.path().filename() == std::to_string(pid) ? main : others.emplace_back()) =
                read_file(entry.path() / "status");
    }
    std::string main;
    std::vector<std::string> others;
};

void expect_restricted(const std::string& status) {
    EXPECT_EQ(number_of(status, "NoNewPrivs", 10), 1u);
    EXPECT_EQ(number_of(status, "Seccomp", 10), 2u);
    EXPECT_EQ(number_of(status, "CapInh", 16), 0u);
    EXPECT_EQ(number_of(status, "CapAmb", 16), 0u);
    EXPECT_EQ(number_of(status, "CapPrm", 16), number_of(status, "CapEff", 16));
}

/// Where it is above 2, kernels of Debian and Ubuntu take CAP_SYS_ADMIN for CAP_PERFMON.
bool may_restrict_perf_events() {
    int paranoid = 0;
    std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> paranoid;
    return paranoid > 2;
}

/// What docs/security.md allows on this kernel, at most.
CapabilityMask allowed(std::string_view tier) {
    const bool is_divided =
        telemetry::kernel_has_capability(CAP_BPF); // and has ring buffers: both came with 5.8
    const bool has_ring = tier == "raw_tp" && is_divided;
    return capability(CAP_SYS_PTRACE) | (has_ring ? 0 : capability(CAP_IPC_LOCK)) |
           (may_restrict_perf_events() ? capability(CAP_SYS_ADMIN) : 0) |
           (is_divided ? capability(CAP_BPF) | capability(CAP_PERFMON) : capability(CAP_SYS_ADMIN));
}

struct Rights : Run, testing::WithParamInterface<const char*> {
    void SetUp() override {
        const std::string reason = losses::why_impossible(GetParam());
        if (!reason.empty())
            GTEST_SKIP() << "Rights." << GetParam() << ": " << reason;
    }
    std::vector<std::string> with_tier(std::initializer_list<std::string> more) const {
        std::vector<std::string> all = arguments({"--tier", GetParam()});
        all.insert(all.end(), more);
        return all;
    }
};

INSTANTIATE_TEST_SUITE_P(Tiers, Rights, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

TEST_P(Rights, AreThoseThatItStillNeeds) {
    RunningProgram program(with_tier({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    const Threads threads(program.pid());
    expect_restricted(threads.main);
    const CapabilityMask kept = number_of(threads.main, "CapEff", 16);
    EXPECT_EQ(kept & ~allowed(GetParam()), 0u) << std::hex << kept;
    EXPECT_TRUE(kept & capability(CAP_SYS_PTRACE));
    EXPECT_EQ(number_of(threads.main, "CapBnd", 16), 0u);
    EXPECT_FALSE(threads.others.empty()) << "one watches /etc/passwd";
    for (const std::string& status : threads.others) {
        expect_restricted(status);
        EXPECT_EQ(number_of(status, "CapPrm", 16), 0u);
    }
    call_getppid(caller, 3);
    ASSERT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 3; }));
    std::filesystem::rename(log, log + ".1");
    program.send(SIGHUP);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(log); })) << program.err();
    call_getppid(caller, 5);
    EXPECT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 5; })) << program.err();
    EXPECT_THAT(program.err(), HasSubstr("capabilities from now on: CAP_SYS_PTRACE"));
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_THAT(program.err(), Not(AnyOf(HasSubstr("has kept capabilities"), HasSubstr("cannot give up"))));
    ASSERT_EQ(program.summaries().size(), 1u);
    expect_balance(program.summaries()[0]);
}

/// Environments are for their owners.
TEST_P(Rights, AreMoreForEnvironments) {
    std::ofstream(rules, std::ios::app) << "env EBT_RIGHTS\n";
    RunningProgram program(with_tier({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    const CapabilityMask kept = number_of(Threads(program.pid()).main, "CapEff", 16);
    EXPECT_EQ(kept & ~allowed(GetParam()), capability(CAP_DAC_READ_SEARCH)) << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
}

TEST_P(Rights, AreKeptOnRequest) {
    RunningProgram program(with_tier({"-o", log, "--keep-rights"}));
    ASSERT_TRUE(program.reports()) << program.err();
    const std::string own = read_file("/proc/self/status");
    const Threads threads(program.pid());
    std::vector<std::string> all = threads.others;
    all.push_back(threads.main);
    for (const std::string& status : all)
        for (const char* name : {"CapEff", "CapBnd", "NoNewPrivs", "Seccomp"})
            EXPECT_EQ(number_of(status, name, 16), number_of(own, name, 16)) << name;
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
}

/// Where root needs a capability to make a file again, it is kept.
TEST_P(Rights, AreEnoughForFilesInFoldersOfOthers) {
    const std::string others = folder.path() + "/others";
    ASSERT_EQ(mkdir(others.c_str(), 0755), 0);
    ASSERT_EQ(chown(others.c_str(), 65534, 65534), 0);
    log = others + "/events";
    RunningProgram program(with_tier({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    EXPECT_EQ(number_of(Threads(program.pid()).main, "CapEff", 16) & ~allowed(GetParam()),
              capability(CAP_DAC_OVERRIDE));
    std::filesystem::rename(log, log + ".1");
    program.send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(log); })) << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
}

} // namespace
