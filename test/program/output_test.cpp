// SPDX-License-Identifier: MIT
// Where events go, and what happens when nobody takes them.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

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

TEST_F(Run, EndsOnHangupWhenItHasNoFile) {
    RunningProgram program(arguments({}));
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
    EXPECT_EQ(summary["emitted"], 5000);
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

TEST_F(Run, RefusesAClosedScreen) {
    RunningProgram program(arguments({}), {.last = [] { close(STDOUT_FILENO); }});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("Cannot write to standard output"));
}

} // namespace
