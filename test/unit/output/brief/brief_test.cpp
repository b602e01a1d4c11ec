// SPDX-License-Identifier: MIT
// -f brief: a line for a screen.
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <random>

#include <ebpf_loader/syscalls.hpp>

#include "telemetry/output/brief/screen_line.hpp"
#include "telemetry/process/lineage.hpp"
#include "test/unit/output/json_support.hpp"
#include "test/unit/support/harmless.hpp"

using namespace telemetry;
using samples::known;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

namespace {

unsigned columns_now = 100;

/// A line without the colours that the program itself gives.
std::string plain(std::string line) {
    for (size_t at = 0; (at = line.find("\x1b[", at)) != std::string::npos;)
        line.erase(at, line.find('m', at) - at + 1);
    return line;
}

class BriefTest : public testing::Test {
  protected:
    BriefTest() {
        setenv("TZ", "UTC", 1);
        tzset();
        columns_now = 100;
        make(false);
    }
    void make(bool is_coloured) {
        FormatContext context = samples::context();
        context.columns = [] { return columns_now; };
        context.colour = is_coloured;
        formatter_ = format_named("brief").make(context);
    }
    std::string line(const Event& event) { return samples::formatted(*formatter_, event); }
    static const ebpf_loader::SyscallRow& row(std::string_view name) {
        return *std::ranges::find(ebpf_loader::syscall_rows(), name, &ebpf_loader::SyscallRow::name);
    }
    Event open(int64_t ret, uint64_t flags = 0) {
        Event event = samples::call(samples::openat, ret, {0xffffff9c, 0, flags, 0});
        samples::add_path(event, 1, "/home/ann/notes.txt");
        return event;
    }

    std::unique_ptr<Formatter> formatter_;
};

TEST_F(BriefTest, HowManyAnEventStandsFor) {
    Event event = samples::on_connection(samples::connect, -ECONNREFUSED);
    const Fold fold{.count = 12, .first_ns = event.time_ns};
    event.fold = &fold;
    EXPECT_THAT(line(event), EndsWith(" = ECONNREFUSED x12\n"));
}

TEST_F(BriefTest, WhenWhoWhatAndHowItFailed) {
    EXPECT_EQ(line(open(3, 0x201)),
              "21:16:05.000 1000     cat[4242]                 open trunc /home/ann/notes.txt\n");
    EXPECT_EQ(line(open(3)), "21:16:05.000 1000     cat[4242]                 open r /home/ann/notes.txt\n");
    EXPECT_EQ(line(open(-EACCES, 1)),
              "21:16:05.000 1000     cat[4242]                 open w /home/ann/notes.txt = EACCES\n");
}

TEST_F(BriefTest, ProcessesConnectionsAndIds) {
    const std::string argv = samples::string_list({"cat", "a file", "-"}),
                      peer = samples::inet("\x0a\x00\x00\x01", 443);
    Event exec = samples::event(EBT_EXEC);
    exec.image.argv = known<StringList>(argv);
    EXPECT_THAT(line(exec), EndsWith(" exec cat \"a file\" -\n"));
    Event end = samples::event(EBT_EXIT);
    end.ret = 0x300;
    EXPECT_THAT(line(end), EndsWith(" exit status 3\n"));
    end.ret = SIGSEGV;
    EXPECT_THAT(line(end), EndsWith(" exit signal 11\n"));
    Event connect = samples::call(samples::connect, -ECONNREFUSED);
    connect.sockaddr = known(peer);
    EXPECT_THAT(line(connect), EndsWith(" connect 10.0.0.1:443 = ECONNREFUSED\n"));
    EXPECT_THAT(line(samples::call(row("setuid"), 0, {0})), EndsWith(" setuid 0 \n"));
    Event kill = samples::call(row("kill"), -EPERM, {77, 9});
    EXPECT_THAT(line(kill), EndsWith(" kill 77 9  = EPERM\n"));
    Event other = open(3);
    other.euid = 0;
    EXPECT_THAT(line(other), HasSubstr(" 1000>0 "));
    Event renamed = samples::call(samples::rename, 0);
    samples::add_path(renamed, 0, "/a");
    samples::add_path(renamed, 1, "/b");
    EXPECT_THAT(line(renamed), EndsWith(" rename /a > /b\n"));
}

TEST_F(BriefTest, FailuresAndPrivilegesStandOut) {
    make(true);
    EXPECT_THAT(line(open(-EACCES)), HasSubstr("\x1b[1;31m = EACCES\x1b[0m"));
    EXPECT_THAT(line(samples::call(row("setuid"), 0, {0})), HasSubstr("\x1b[1;33msetuid\x1b[0m"));
    EXPECT_THAT(line(open(3)), Not(HasSubstr("1;31m")));
    Event end = samples::event(EBT_EXIT);
    end.ret = 0x300;
    EXPECT_THAT(line(end), HasSubstr("\x1b[1;31mstatus 3\x1b[0m"));
    end.ret = 0;
    EXPECT_THAT(line(end), EndsWith(" status 0\n"));
    const std::string peer = samples::inet("\x0a\x00\x00\x01", 443);
    Event connect = samples::call(samples::connect, -EINPROGRESS);
    connect.sockaddr = known(peer);
    EXPECT_THAT(line(connect), EndsWith(" 10.0.0.1:443 = EINPROGRESS\n")) << "not a failure yet";
    Event chmod = samples::call(row("chmod"), 0, {0, 04755});
    samples::add_path(chmod, 0, "/tmp/x");
    EXPECT_THAT(line(chmod), EndsWith("\x1b[1;33mchmod\x1b[0m 4755 /tmp/x\n"));
    chmod.args[1] = 0644;
    EXPECT_THAT(line(chmod), EndsWith("\x1b[1mchmod\x1b[0m 644 /tmp/x\n"));
    std::string out;
    formatter_->format({.time_ns = 1'763'759'765'000'000'042, .cause = "buffer_full", .count = 17}, out);
    EXPECT_THAT(out, HasSubstr("\x1b[1;31m lost 17 events: buffer_full\x1b[0m"));
    make(false);
    EXPECT_THAT(line(open(-EACCES)), Not(HasSubstr("\x1b")));
}

TEST_F(BriefTest, NoLineIsWiderThanTheTerminalAndNoneHidesAFailure) {
    for (columns_now = 40; columns_now < 220; columns_now += 7) {
        make(columns_now % 2);
        for (const std::string& bytes : samples::hostile_strings()) {
            Event event = open(-EACCES);
            event.comm = std::string_view(bytes).substr(0, 15);
            event.image.exe = known<PathField>(bytes);
            event.path[0].bytes = bytes;
            const std::string made = plain(line(event));
            ASSERT_LE(ScreenLine::width(made.substr(0, made.size() - 1)), columns_now) << made;
            ASSERT_THAT(made, EndsWith(" = EACCES\n"));
        }
    }
}

TEST_F(BriefTest, WhatAProcessWritesNeitherColoursNorBreaksALine) {
    for (const std::string& bytes : samples::hostile_strings()) {
        const std::string argv =
            samples::string_list({bytes.substr(0, bytes.find('\0')), bytes.substr(0, bytes.find('\0'))});
        Event event = samples::event(EBT_EXEC);
        event.comm = std::string_view(bytes).substr(0, 15);
        event.image.argv = known<StringList>(argv);
        event.image.exe = known<PathField>(bytes);
        expect_harmless(line(event));
        Event call = samples::call(samples::rename, 0);
        samples::add_path(call, 0, bytes);
        samples::add_path(call, 1, bytes);
        expect_harmless(line(call));
    }
    Event fake = open(3);
    fake.path[0].bytes = "/tmp/x = EACCES"; // no failure
    EXPECT_THAT(line(fake), EndsWith(" open r \"/tmp/x = EACCES\"\n"));
}

TEST_F(BriefTest, TheTerminalsSizeMayChange) {
    Event event = open(3);
    const std::string longer(300, 'x');
    event.path[0].bytes = longer;
    EXPECT_EQ(ScreenLine::width(line(event)), 101U); // with the newline
    columns_now = 60;
    event.time_ns += 1'000'000'000;
    EXPECT_LE(ScreenLine::width(line(event)), 61U);
    columns_now = 0; // not known: as long as it is
    event.time_ns += 1'000'000'000;
    EXPECT_THAT(line(event), HasSubstr(longer));
}

TEST_F(BriefTest, ParentsAndContainers) {
    Lineage lineage("/nonexistent");
    Event parent = samples::event(), fork = samples::event(EBT_FORK);
    parent.pid = parent.tid = fork.pid = fork.tid = 4200;
    fork.child_pid = 4242;
    fork.child_start_time_ns = parent.start_time_ns;
    fork.child_status = Status::ok;
    parent.image.exe = known<PathField>("/bin/bash");
    lineage.note(parent);
    lineage.note(fork);
    Event event = open(3);
    auto* node = const_cast<LineageNode*>(lineage.note(event));
    event.lineage = node;
    EXPECT_THAT(line(event), HasSubstr(" bash > cat[4242] "));
    node->facts.container.id = std::string(64, 'a');
    EXPECT_THAT(line(event), HasSubstr("cat[4242] aaaaaaaaaaaa "));
}

} // namespace
