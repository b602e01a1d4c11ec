// SPDX-License-Identifier: MIT
// Where events go, and what happens when nobody takes them.
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <ebpf_loader/unique_fd.hpp>

#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

TEST_F(Run, OpensItsFileAnewOnHangup) {
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 5);
    ASSERT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 5; }));
    ASSERT_EQ(rename(log.c_str(), (log + ".1").c_str()), 0);
    program.send(SIGHUP);
    ASSERT_TRUE(eventually([&] { return access(log.c_str(), F_OK) == 0; }));
    call_getppid(caller, 7);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(read_file(log + ".1")).size(), 5u);
    EXPECT_EQ(lines_of(read_file(log)).size(), 7u);
    EXPECT_EQ(program.out(), "") << "with -o the screen is not used";
}

/// Of the lines that select a call of its own, the first with a key; also where the kernel alone decides.
TEST_F(Run, EventsHaveTheKeyOfTheirRule) {
    std::ofstream(rules) << "getppid\ngetppid comm = " << caller << " key mine\ngetppid key others\n";
    RunningProgram program(arguments({"-o", log}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 3);
    call_getppid("another", 2);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    size_t mine = 0, others = 0;
    for (const json& event : parsed(read_file(log))) {
        const bool is_mine = event["process"]["thread"]["name"] == caller;
        EXPECT_EQ(event["tags"], json::array({is_mine ? "mine" : "others"})) << event;
        ++(is_mine ? mine : others);
    }
    EXPECT_EQ(mine, 3u);
    EXPECT_GE(others, 2u);
}

/// What the program compares of the process and of its parent. What is not known is not excluded: these are.
TEST_F(Run, RulesCompareTheProcessAndItsParent) {
    utsname machine{};
    uname(&machine);
    std::ofstream(rules) << "getppid comm = " << caller << " key kept\n"
                         << "not getppid comm = " << caller
                         << " && parent.exe $ /program_tests && cmdline ~ program_tests && arch = "
                         << machine.machine << " && gid = " << getgid()
                         << " && cwd ^ / && container != x && argv[0] $ program_tests && ret >= 2\n"
                         << "getppid comm = other && parent.exe != /program_tests\n";
    RunningProgram program(arguments({"-o", log, "--no-lineage"}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 3);
    call_getppid("other", 2);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(read_file(log)).size(), 2u) << read_file(log);
}

TEST_F(Run, EndsOnHangupWhenItHasATerminalAndNoFile) {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_TRUE(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    const std::string name = ptsname(terminal);
    RunningProgram program(arguments({}), {.before = [&] {
                               setsid();
                               ioctl(open(name.c_str(), O_RDWR | O_CLOEXEC), TIOCSCTTY, 0);
                           }});
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGHUP);
    EXPECT_EQ(program.wait(), 0);
    expect_balance(program.summaries().at(0));
}

TEST_F(Run, EndsWhenItsReaderGoes) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    RunningProgram program(arguments({}), {.standard_output = ends[1]});
    close(ends[1]);
    ASSERT_TRUE(program.reports()) << program.err();
    close(ends[0]);
    call_getppid(caller, 10);
    EXPECT_EQ(program.wait(), 9);
    EXPECT_THAT(program.err(), HasSubstr("Broken pipe"));
    json summary = program.summaries().at(0);
    expect_balance(summary);
    EXPECT_EQ(summary["outputs"][0]["lost"], summary["emitted"]);
}

TEST_F(Run, CountsWhatAFullDiskDoesNotTake) {
    RunningProgram program(arguments({"-o", "/dev/full"}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 10);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 9);
    EXPECT_THAT(program.err(), HasSubstr("/dev/full: no event was written"));
    json summary = program.summaries().at(0);
    EXPECT_EQ(summary["emitted"], 10);
    EXPECT_EQ(summary["outputs"][0]["lost"], 10);
    EXPECT_THAT(summary["outputs"][0]["error"].get<std::string>(), HasSubstr("No space left"));
}

TEST_F(Run, GoesOnWhileItsReaderSleeps) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    RunningProgram program(arguments({}), {.standard_output = ends[1]});
    close(ends[1]);
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 5000); // far more than the pipe and the queue hold
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << "it must not hang in a write";
    json summary = program.summaries().at(0);
    expect_balance(summary);
    // On a slow machine the end of the run comes before all are read, and with them starts and ends of
    // processes.
    const uint64_t emitted = summary["emitted"], unread = summary["lost"].value("run_end", uint64_t{0});
    EXPECT_LE(emitted, 5000u) << summary;
    EXPECT_GE(emitted + unread, 5000u) << summary;
    EXPECT_EQ(summary["lost"].size(), unread ? 1u : 0u) << summary;
    EXPECT_GT(summary["outputs"][0]["lost"], 0);
    close(ends[0]);
}

TEST_F(Run, IsQuietOnRequest) {
    RunningProgram quiet(arguments({"-q"}));
    ASSERT_TRUE(quiet.reports()) << quiet.err();
    call_getppid(caller, 10);
    quiet.send(SIGINT);
    EXPECT_EQ(quiet.wait(), 0);
    EXPECT_EQ(quiet.out(), "");
    EXPECT_EQ(quiet.summaries().at(0)["emitted"], 10);

    RunningProgram silent(arguments({"-Q", "--duration", "0.5"}));
    EXPECT_EQ(silent.wait(), 0);
    EXPECT_EQ(silent.out(), "");
    EXPECT_EQ(silent.err(), "");
}

TEST_F(Run, WritesToSeveralPlaces) {
    RunningProgram program(arguments({"-o", log, "-o", "-"}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 10);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(program.out()).size(), 10u);
    EXPECT_EQ(program.out(), read_file(log));
}

/// What is opened while standard error is closed would get its number, and with it what is
/// said there: diagnostics between the events.
TEST_F(Run, KeepsEventsApartFromDiagnosticsWhenStandardErrorIsClosed) {
    RunningProgram program(arguments({"-o", log, "--stats", "0.2"}), {.last = [] { close(STDERR_FILENO); }});
    ASSERT_TRUE(eventually([&] { // the second and later: by then it reports
        call_getppid(caller, 1);
        return lines_of(read_file(log)).size() > 1;
    }));
    usleep(500'000);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    for (const json& line : parsed(read_file(log)))
        EXPECT_TRUE(line.contains("@timestamp")) << line;
}

/// A pipe that is full, and that nobody reads.
struct FullPipe {
    FullPipe() {
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
            return;
        const std::string bytes(4096, '-');
        while (write(ends[1], bytes.data(), bytes.size()) > 0) {
        }
        fcntl(ends[1], F_SETFL, 0); // as a shell has it
    }
    ~FullPipe() {
        close(ends[0]);
        close(ends[1]);
    }
    int ends[2] = {-1, -1};
};

/// Within a second of when it has to end; the time of starting a process here is not the program's.
constexpr auto end_of_run = std::chrono::milliseconds(1500);

TEST_F(Run, EndsInTimeWhenStandardErrorTakesNothing) {
    FullPipe full;
    RunningProgram program(arguments({"-o", log, "--stats", "0.01", "--log-level", "trace"}),
                           {.last = [&] { dup2(full.ends[1], STDERR_FILENO); }});
    ASSERT_TRUE(eventually([&] {
        call_getppid(caller, 1);
        return lines_of(read_file(log)).size() > 1;
    })) << "it reports, whoever reads what it says";
    usleep(1'500'000); // statistics of more than 64 KiB
    call_getppid(caller, 10);
    const auto asked = std::chrono::steady_clock::now();
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, end_of_run);
    EXPECT_GE(lines_of(read_file(log)).size(), 12u);
}

TEST_F(Run, EndsOnTimeWhenStandardErrorTakesNothing) {
    FullPipe full;
    const auto begin = std::chrono::steady_clock::now();
    RunningProgram program(arguments({"-o", log, "--stats", "0.01", "--duration", "1"}),
                           {.last = [&] { dup2(full.ends[1], STDERR_FILENO); }});
    EXPECT_EQ(program.wait(), 0);
    const auto start_of_run = std::chrono::seconds(10); // offsets may have to be found first
    EXPECT_LT(std::chrono::steady_clock::now() - begin, start_of_run + end_of_run);
}

TEST_F(Run, EndsInTimeWithAFullBuffer) {
    RunningProgram program(arguments({"-o", log, "--buffer-size", "512M"}));
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    constexpr int count = 2'000'000; // takes seconds to write
    call_getppid(caller, count);
    program.send(SIGTERM);
    const auto asked = std::chrono::steady_clock::now();
    program.send(SIGCONT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - asked, end_of_run);
    const json summary = program.summaries().at(0);
    expect_balance(summary);
    // Who else calls getppid is filtered by the program, if it comes to that.
    EXPECT_LT(summary["emitted"], count);
    EXPECT_GE(summary["emitted"].get<uint64_t>() + summary["lost"].value("run_end", uint64_t{0}) +
                  summary["lost"].value("buffer_full", uint64_t{0}),
              count);
    EXPECT_GT(summary["lost"].value("run_end", uint64_t{0}), 0u) << summary;
}

/// The machine gave it no CPU from before its end until long after: what few records there are, it reads.
TEST_F(Run, LosesNothingToAnEndThatItSleptThrough) {
    RunningProgram program(arguments({"-o", log, "--duration", "3"}));
    ASSERT_TRUE(program.reports()) << program.err();
    program.send(SIGSTOP);
    constexpr int count = 300; // more than it reads from one look at the clock to the next
    call_getppid(caller, count);
    usleep(4'500'000);
    program.send(SIGCONT);
    const auto woken = std::chrono::steady_clock::now();
    EXPECT_EQ(program.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - woken, end_of_run);
    const json summary = program.summaries().at(0);
    expect_balance(summary);
    EXPECT_EQ(summary["lost"], json::object());
    EXPECT_EQ(summary["emitted"], count);
    EXPECT_EQ(lines_of(read_file(log)).size(), count);
}

TEST_F(Run, RefusesAClosedScreen) {
    RunningProgram program(arguments({}), {.last = [] { close(STDOUT_FILENO); }});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("Cannot write to standard output"));
}

/// Somebody pressed ^S: the thread that reads events goes on, and what the terminal does not take is lost
/// there alone.
TEST_F(Run, ATerminalThatIsStoppedCostsOtherOutputsNothing) {
    int ends[2];
    ASSERT_EQ(openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    const ebpf_loader::UniqueFd reader(ends[0]), terminal(ends[1]); // the reader reads nothing
    // A second without reading costs more than this buffer holds.
    RunningProgram program(arguments({"-o", "-", "-o", log, "--buffer-size", "2M"}),
                           {.standard_output = terminal.get()});
    ASSERT_TRUE(program.reports()) << program.err();
    constexpr int rounds = 100, calls = 300;
    for (int i = 0; i < rounds; ++i) {
        call_getppid(caller, calls);
        usleep(15'000);
    }
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const json summary = program.summaries().at(0);
    EXPECT_EQ(summary["lost"], json::object());
    EXPECT_EQ(summary["emitted"], rounds * calls);
    const json screen = *std::ranges::find_if(summary["outputs"],
                                              [](const json& output) { return output["name"] == "screen"; });
    EXPECT_GT(screen["lost"], 1000);
    EXPECT_EQ(screen["written"].get<uint64_t>() + screen["lost"].get<uint64_t>(), summary["emitted"]);
}

} // namespace
