// SPDX-License-Identifier: MIT
// Rules are replaced while events come: each event is judged by one set of them, and none is missed.
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "telemetry/rights/capabilities.hpp"
#include "test/program/losses.hpp"
#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

size_t count(const std::string& text, std::string_view part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

/// EBT_RACE_ROUNDS: how often; test.sh --all asks for a thousand.
size_t reloads() {
    const char* const asked = getenv("EBT_RACE_ROUNDS");
    return asked ? strtoul(asked, nullptr, 10) : 30;
}

struct Reload : Run {
    /// In place at once, as editors and packages do it.
    void write_rules(const std::string& text) const {
        std::ofstream(rules + ".new") << text;
        ASSERT_EQ(rename((rules + ".new").c_str(), rules.c_str()), 0);
    }
    void reload(RunningProgram& program) {
        program.send(SIGHUP);
        ++reloads_;
        ASSERT_TRUE(eventually([&] { return count(program.err(), "info: reloaded\n") == reloads_; }))
            << program.err();
    }
    size_t reloads_ = 0;
};

/// Calls of which each set of rules wants some. getpgid is made without a pause, and neither set wants it but
/// once in a while; the others are wanted by both, or by one of them.
void call_all() {
    static unsigned turn = 0;
    for (int i = 0; i < 200; ++i)
        syscall(SYS_getpgid, 4'000'000);
    syscall(SYS_getppid);
    if (++turn % 2)
        syscall(SYS_getsid, 0);
    else
        syscall(SYS_getpriority, PRIO_PROCESS, 0);
}

/// What both want is there as often as it happened, what one wants while that was in force alone: the order
/// of time has no event of one set among those of the other.
TEST_F(Reload, JudgesEachEventByOneSetOfRules) {
    const std::string mine = "ppid = " + std::to_string(getpid());
    const std::string sets[] = {"getppid " + mine + " key a\ngetpgid pid = 4000001 key a\ngetsid " + mine +
                                    " && pid = 0 key a\n",
                                "getppid comm = program_tests && " + mine +
                                    " key b\ngetpgid pid = 4000002 key b\ngetpriority " + mine + " key b\n"};
    write_rules(sets[0]);
    RunningProgram program(arguments({"-o", log, "--no-lineage", "--buffer-size", "64M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    uint64_t* const made = static_cast<uint64_t*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(made, MAP_FAILED);
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        children.push_back(fork());
        if (children.back() != 0)
            continue;
        prctl(PR_SET_NAME, "program_tests");
        while (__atomic_load_n(&made[1], __ATOMIC_RELAXED) == 0) {
            call_all();
            __atomic_add_fetch(&made[0], 1, __ATOMIC_RELAXED);
            usleep(2000);
        }
        _exit(0);
    }
    for (size_t i = 1; i <= reloads(); ++i) {
        write_rules(sets[i % 2]);
        reload(program);
    }
    __atomic_store_n(&made[1], 1, __ATOMIC_RELAXED);
    for (const pid_t child : children)
        waitpid(child, nullptr, 0);
    const uint64_t rounds = made[0];
    munmap(made, 4096);
    program.send(SIGINT);
    ASSERT_EQ(program.wait(), 0) << program.err();
    const json summary = program.summaries().back();
    expect_balance(summary);
    ASSERT_EQ(losses::lost_in_all(summary), 0u) << summary;
    EXPECT_GE(summary["seen"].get<uint64_t>(), rounds * 201)
        << "of getpgid, which both select, the kernel missed none";

    struct Seen {
        std::string time, call, key;
    };
    std::vector<Seen> events;
    uint64_t both = 0;
    for (const json& event : parsed(read_file(log))) {
        events.push_back({event["@timestamp"], event["linux"]["syscall"]["name"], event["tags"][0]});
        both += events.back().call == "getppid";
    }
    EXPECT_EQ(both, rounds) << "what both sets want is never missed";
    std::ranges::stable_sort(events, {}, &Seen::time);
    size_t changes = 0;
    for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_TRUE(events[i].call == "getppid" ||
                    events[i].call == (events[i].key == "a" ? "getsid" : "getpriority"))
            << events[i].call << " by " << events[i].key;
        changes += i > 0 && events[i].key != events[i - 1].key && events[i].time != events[i - 1].time;
    }
    EXPECT_EQ(changes, reloads()) << "each set begins and ends at one time";
}

TEST_F(Reload, KeepsTheRulesThatTheFileHadBeforeItWasWrong) {
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    write_rules("getppid comm = " + caller + "\ngetppid nonsense = 1\n");
    program.send(SIGHUP);
    ASSERT_TRUE(eventually([&] { return program.err().find("not reloaded") != std::string::npos; }));
    EXPECT_THAT(program.err(), HasSubstr("not reloaded, all stays as it was: " + rules + ":2:9: error: "));
    call_getppid(caller, 5);
    EXPECT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 5; })) << program.err();
    write_rules("getppid comm = another\n");
    reload(program);
    call_getppid(caller, 5);
    call_getppid("another", 3);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(read_file(log)).size(), 8u);
    expect_balance(program.summaries().back());
}

/// Hooks of process events are there whether or not the first rules wanted them.
TEST_F(Reload, SelectsWhatWasNotSelectedBefore) {
    RunningProgram program(arguments({"-o", log, "--no-lineage"}));
    ASSERT_TRUE(program.reports()) << program.err();
    write_rules("execve key run\nprocess_fork ppid = " + std::to_string(getppid()) + "\nprocess_exit\n");
    reload(program);
    losses::run_one();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const auto counts = losses::count_actions(parsed(read_file(log)));
    EXPECT_TRUE(counts.contains("execve") && counts.contains("process_fork") &&
                counts.contains("process_exit"))
        << read_file(log);
    EXPECT_FALSE(counts.contains("getppid"));
    EXPECT_THAT(read_file(log), HasSubstr(std::filesystem::canonical("/bin/true").string()));
    expect_balance(program.summaries().back());
}

/// Does the program have a raw tracepoint's hook of that name? fdinfo says so from Linux 5.8 on.
bool has_hook(pid_t program, const std::string& name) {
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(program) + "/fdinfo"))
        if (read_file(entry.path()).find("tp_name:\t" + name + "\n") != std::string::npos)
            return true;
    return false;
}

/// Events of processes cost system calls nothing: hooks of calls are attached once rules name calls, though
/// the program has given up its rights by then.
TEST_F(Reload, HooksOfCallsAreThereWhereRulesNameCalls) {
    if (!telemetry::kernel_has_capability(CAP_BPF)) // which came with it
        GTEST_SKIP() << "HooksOfCalls: fdinfo names no hooks before Linux 5.8";
    const std::string mine = " ppid = " + std::to_string(getpid()) + "\n";
    write_rules("process_fork\nprocess_exit" + mine);
    RunningProgram program(arguments({"-o", log, "--no-lineage", "--tier", "raw_tp"}));
    ASSERT_TRUE(program.reports()) << program.err();
    EXPECT_FALSE(has_hook(program.pid(), "sys_exit"));
    EXPECT_FALSE(has_hook(program.pid(), "sys_enter"));
    ASSERT_TRUE(has_hook(program.pid(), "sched_process_exit"));
    losses::run_one();
    write_rules("getppid pid = " + std::to_string(getpid()) + "\nprocess_exit" + mine);
    reload(program);
    EXPECT_TRUE(has_hook(program.pid(), "sys_exit"));
    syscall(SYS_getppid);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    const auto counts = losses::count_actions(parsed(read_file(log)));
    EXPECT_TRUE(counts.contains("process_exit") && counts.contains("process_fork")) << read_file(log);
    EXPECT_TRUE(counts.contains("getppid")) << read_file(log);
    expect_balance(program.summaries().back());
}

TEST_F(Reload, OptionsOfFilesComeIntoForce) {
    const std::string settings = folder.path() + "/settings";
    std::ofstream(settings) << "rules = " << rules << "\nmax-cpu = 90\nlog-level = info\n";
    RunningProgram program({"-c", usable_config(), "-f", "json", "-o", log, "--settings", settings});
    ASSERT_TRUE(program.reports()) << program.err();
    std::ofstream(settings) << "rules = " << all_rules << "\nmax-cpu = 70\nnice = 3\nlog-level = info\n";
    reload(program);
    EXPECT_THAT(program.err(), HasSubstr("take effect at the next start: nice\n"));
    call_getppid("some_other", 4);
    EXPECT_TRUE(eventually([&] { return read_file(log).find("some_other") != std::string::npos; }));
    std::ofstream(settings) << "rules = " << rules << "\nmax-cpu = 70\nno-such = 1\n";
    program.send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return program.err().find(settings + ":3: ") != std::string::npos; }))
        << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.summaries().back()["max_cpu"]["percent"], 70) << program.summaries().back();
}

/// Outputs come, go and change, and the one that stays misses nothing.
TEST_F(Reload, PutsOutputsInPlace) {
    const std::string settings = folder.path() + "/settings", path = "\nkind = file\npath = " + folder.path();
    const std::string head = "rules = " + rules + "\nheartbeat = 0\n[output.stays]" + path + "/stays\n";
    const auto written = [&](const std::string& name) {
        return std::ranges::count_if(lines_of(read_file(folder.path() + "/" + name)), [](const auto& line) {
            return line.find("\"getppid\"") != std::string::npos;
        });
    };
    std::ofstream(settings) << head << "[output.goes]" + path + "/goes\n[output.moves]" + path + "/here\n";
    RunningProgram program({"-c", usable_config(), "-f", "json", "--settings", settings});
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 10);
    EXPECT_TRUE(eventually([&] { return written("goes") == 10; }));
    std::ofstream(settings) << head << "[output.comes]" + path + "/comes\n[output.moves]" + path + "/there\n";
    reload(program);
    call_getppid(caller, 20);
    EXPECT_TRUE(eventually([&] { return written("there") == 20 && written("comes") == 20; }))
        << program.err();
    std::ofstream(settings) << head << "[output.wrong]" + path + "/no/such/folder\n";
    program.send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return program.err().find("not reloaded") != std::string::npos; }));
    std::ofstream(settings) << head << "[output.goes]" + path + "/goes\n";
    reload(program);
    call_getppid(caller, 5);
    EXPECT_TRUE(eventually([&] { return written("goes") == 15; })) << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(written("stays"), 35);
    EXPECT_EQ(written("here"), 10);
    EXPECT_EQ(written("there"), 20);
    EXPECT_EQ(written("comes"), 20);
    EXPECT_EQ(losses::lost_in_all(program.summaries().back()), 0u);
    expect_balance(program.summaries().back());
}

/// A service that writes to the journal alone goes on; who sits at a terminal has left.
TEST_F(Reload, OnlyTheEndOfATerminalEndsTheRun) {
    RunningProgram service(arguments({}), {.before = [] { setsid(); }});
    ASSERT_TRUE(service.reports()) << service.err();
    reload(service);
    service.send(SIGINT);
    EXPECT_EQ(service.wait(), 0);
}

} // namespace
