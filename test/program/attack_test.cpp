// SPDX-License-Identifier: MIT
// What others do to the program itself, as its built-in rules report it.
#include <elf.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "test/program/tampering.hpp"

using namespace program_test;
using namespace nlohmann::literals;

namespace {

/// Under the rules that are built in.
std::vector<std::string> with_built_in_rules(const std::string& output) {
    return {"-c", usable_config(), "-f", "json", "-o", output};
}

/// This process's own calls of that name, among what was written to the file.
std::vector<json> own(const std::string& output, const std::string& call) {
    std::vector<json> found;
    const std::string text = read_file(output);
    for (const json& event : parsed(text.substr(0, text.rfind('\n') + 1)))
        if (event["event"].value("code", "") == call &&
            event.value("/process/pid"_json_pointer, 0) == getpid())
            found.push_back(event);
    return found;
}

struct Attacks : Tampering {};
INSTANTIATE_TEST_SUITE_P(Tiers, Attacks, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         [](const auto& tier) { return std::string(tier.param); });

pid_t another_thread(pid_t process) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
        if (const pid_t thread = std::stoi(task.path().filename()); thread != process)
            return thread;
    return 0;
}

/// Takes hold of the process, writes into its registers what was there, and lets it go.
void trace_once(pid_t process) {
    ASSERT_EQ(ptrace(PTRACE_SEIZE, process, nullptr, nullptr), 0);
    ASSERT_EQ(ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr), 0);
    ASSERT_EQ(waitpid(process, nullptr, __WALL), process);
    user_regs_struct registers{};
    iovec whole{&registers, sizeof registers};
    ASSERT_EQ(ptrace(PTRACE_GETREGSET, process, NT_PRSTATUS, &whole), 0);
    ASSERT_EQ(ptrace(PTRACE_SETREGSET, process, NT_PRSTATUS, &whole), 0);
    ASSERT_EQ(ptrace(PTRACE_DETACH, process, nullptr, nullptr), 0);
}

/// While it is stopped nobody reads what happens, which is reported afterwards with who did that. Signals to
/// a thread by its own number are selected by no rule; the log says who sent the last one.
TEST_P(Attacks, ByStoppingTracingAndEndingAreReported) {
    constexpr size_t unseen = 7;
    std::vector<std::string> all = with_built_in_rules(log);
    all.insert(all.end(), {"--tier", GetParam()});
    RunningProgram program(all);
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    for (size_t i = 0; i < unseen; ++i)
        close(memfd_create("ebt_unseen", 0));
    program.send(SIGCONT);
    ASSERT_NO_FATAL_FAILURE(trace_once(program.pid()));
    close(open(("/proc/" + std::to_string(program.pid()) + "/mem").c_str(), O_RDWR));
    const pid_t thread = another_thread(program.pid());
    ASSERT_GT(thread, 0);
    ASSERT_EQ(kill(thread, SIGTERM), 0);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_THAT(program.err(), HasSubstr("ends on SIGTERM from process " + std::to_string(getpid()) +
                                         " of user " + std::to_string(getuid()) + "\n"));
    EXPECT_EQ(own(log, "memfd_create").size(), unseen);
    std::vector<json> tags;
    for (const std::string call : {"kill", "ptrace", "openat"})
        for (const json& event : own(log, call))
            tags.push_back(event["tags"][0]);
    EXPECT_EQ(tags, (std::vector<json>{"T1562.001_agent", "T1562.001_agent", "T1055.008_ptrace",
                                       "T1055.008_ptrace", "T1055.009_proc-mem"}));
    expect_balance(program.summaries().at(0));
}

/// No run can report its own SIGKILL, but what it has written is whole, and another run says who sent it.
TEST_F(Run, LeavesWholeLinesWhenKilledWhichAnotherRunReports) {
    const std::string other_log = folder.path() + "/other";
    RunningProgram program(with_built_in_rules(log)), other(with_built_in_rules(other_log));
    ASSERT_TRUE(program.reports()) << program.err();
    ASSERT_TRUE(other.reports()) << other.err();
    close(memfd_create("ebt_before", 0));
    ASSERT_TRUE(eventually([&] { return own(log, "memfd_create").size() == 1; }));
    const std::string killed = std::to_string(program.pid());
    program.send(SIGKILL);
    EXPECT_EQ(program.wait(), 128 + SIGKILL);
    EXPECT_THAT(read_file(log), testing::EndsWith("\n"));
    other.send(SIGINT);
    EXPECT_EQ(other.wait(), 0);
    const std::vector<json> kills = own(other_log, "kill");
    ASSERT_EQ(kills.size(), 2u); // the second is its own SIGINT
    EXPECT_EQ(kills[0]["linux"]["syscall"]["args"]["pid"], killed);
    EXPECT_EQ(kills[0]["linux"]["syscall"]["flags"]["sig"][0], "SIGKILL");
}

} // namespace
