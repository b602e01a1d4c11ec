// SPDX-License-Identifier: MIT
// What others change of the program's maps in the kernel is noticed within a second, in every tier.
#include <cstring>
#include <filesystem>
#include <gmock/gmock.h>
#include <linux/bpf.h>

#include <ebpf_loader/abi/plan.h>
#include <ebpf_loader/unique_fd.hpp>

#include "test/program/losses.hpp"
#include "test/program/run_fixture.hpp"

using namespace program_test;
using ebpf_loader::UniqueFd;
using testing::HasSubstr;

namespace {

int bpf(int command, bpf_attr& attributes) {
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

/// A map of a process by its name, as any privileged process gets it; invalid: there is none.
UniqueFd map_of(pid_t pid, const std::string& name) {
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
        const std::string text = read_file(entry.path());
        const size_t at = text.find("map_id:");
        if (at == std::string::npos)
            continue;
        bpf_attr by_id{};
        by_id.map_id = static_cast<uint32_t>(std::strtoul(text.c_str() + at + 7, nullptr, 10));
        UniqueFd map(bpf(BPF_MAP_GET_FD_BY_ID, by_id));
        bpf_map_info info{};
        bpf_attr ask{};
        ask.info.bpf_fd = static_cast<uint32_t>(map.get());
        ask.info.info_len = sizeof info;
        ask.info.info = reinterpret_cast<uint64_t>(&info);
        if (map && bpf(BPF_OBJ_GET_INFO_BY_FD, ask) == 0 && name == info.name)
            return map;
    }
    return {};
}

template <typename Value> bool change(const UniqueFd& map, uint32_t key, void (*change)(Value&)) {
    Value value{};
    bpf_attr element{};
    element.map_fd = static_cast<uint32_t>(map.get());
    element.key = reinterpret_cast<uint64_t>(&key);
    element.value = reinterpret_cast<uint64_t>(&value);
    if (bpf(BPF_MAP_LOOKUP_ELEM, element) != 0)
        return false;
    change(value);
    return bpf(BPF_MAP_UPDATE_ELEM, element) == 0;
}

bool remove(const UniqueFd& map, uint32_t key) {
    bpf_attr element{};
    element.map_fd = static_cast<uint32_t>(map.get());
    element.key = reinterpret_cast<uint64_t>(&key);
    return bpf(BPF_MAP_DELETE_ELEM, element) == 0;
}

struct Tampering : Run, testing::WithParamInterface<const char*> {
    void SetUp() override {
        const std::string reason = losses::why_impossible(GetParam());
        if (!reason.empty())
            GTEST_SKIP() << "Tampering." << GetParam() << ": " << reason;
    }
    std::vector<std::string> with_tier(std::initializer_list<std::string> more = {}) const {
        std::vector<std::string> all = arguments({"-o", log, "--tier", GetParam()});
        all.insert(all.end(), more);
        return all;
    }
    /// What the program has written, but for a line that it may be writing now.
    std::vector<json> written() const {
        const std::string text = read_file(log);
        return parsed(text.substr(0, text.rfind('\n') + 1));
    }
    /// Loss events with this cause.
    uint64_t losses_of(const std::string& cause) const {
        uint64_t count = 0;
        for (const json& line : written())
            if (line["event"]["action"] == "loss" && line["linux"]["telemetry"]["loss"]["cause"] == cause)
                count += line["linux"]["telemetry"]["loss"]["count"].get<uint64_t>();
        return count;
    }
    uint64_t events() const {
        uint64_t count = 0;
        for (const json& line : written())
            count += line["event"]["action"] == "getppid";
        return count;
    }
    /// The change is noticed in time and put right.
    void expect_repaired(RunningProgram& program, const std::string& what) {
        const auto changed = std::chrono::steady_clock::now();
        EXPECT_TRUE(eventually([&] { return losses_of("tampered") > 0; })) << program.err();
        EXPECT_LT(std::chrono::steady_clock::now() - changed, std::chrono::seconds(3));
        EXPECT_THAT(program.err(), HasSubstr(what));
        EXPECT_THAT(program.err(), HasSubstr("they are restored"));
        const uint64_t before = events();
        call_getppid(caller, 7);
        EXPECT_TRUE(eventually([&] { return events() == before + 7; })) << "nothing is hidden any more";
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0);
        const json summary = program.summaries().at(0);
        expect_balance(summary);
        EXPECT_EQ(summary["tampered"], losses_of("tampered"));
    }
};

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
