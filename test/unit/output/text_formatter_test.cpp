// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

#include "telemetry/output/formats.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/harmless.hpp"
#include "test/unit/support/text_line.hpp"

using namespace telemetry;
using samples::known;
using testing::HasSubstr;
using text_line::field;
using text_line::list;
using text_line::word;

namespace {

class TextFormatterTest : public testing::Test {
  protected:
    std::string line(const Event& event) { return samples::formatted(*formatter_, event); }
    text_line::Fields fields(const Event& event) { return text_line::parse(line(event)); }

    std::unique_ptr<Formatter> formatter_ = format_named("text").make(samples::context());
};

text_line::Value text(std::string bytes) {
    return text_line::string(std::move(bytes));
}

} // namespace

TEST_F(TextFormatterTest, OpenatWholeLine) {
    Event event = samples::call(samples::openat, 3, {0xffffffffffffff9c, 0x7ffd0010, 0x241, 0644});
    samples::add_path(event, EBT_ARG_RET, "/home/ann/notes.txt");
    EXPECT_EQ(line(event),
              "timestamp=2025-11-21T21:16:05.000000042Z node=\"web1\" arch=x86_64 syscall=openat "
              "success=yes exit=3 a0=ffffffffffffff9c a1=7ffd0010 a2=241 a3=1a4 ppid=4200 pid=4242 "
              "auid=1000 uid=1000 gid=1001 euid=1000 suid=1000 fsuid=1000 egid=1001 sgid=1001 "
              "fsgid=1001 tty=\"pts0\" ses=3 comm=\"cat\" exe=\"/usr/bin/cat\" exe_mode=0100755 "
              "exe_ouid=0 exe_ogid=0 cwd=\"/home/ann\" path=\"/home/ann/notes.txt\"\n");
}

TEST_F(TextFormatterTest, FailedRenameWholeLine) {
    Event event = samples::call(samples::rename, -ENOENT, {0x7ffd0010, 0x7ffd0020});
    event.abi = EBT_I386;
    event.nr = 38;
    event.image.tty = Text();
    event.tid = 4243;
    event.dropped_before = 12;
    samples::add_path(event, 0, "/home/ann/a\nb", Source::user_memory);
    samples::add_path(event, 1, "/home/ann/c", Source::user_memory);
    event.path[1].status = Status::truncated;
    event.path[1].original_length = 5000;
    event.path[1].length_is_minimum = true;
    EXPECT_EQ(
        line(event),
        "timestamp=2025-11-21T21:16:05.000000042Z node=\"web1\" arch=i386 syscall=rename success=no exit=-2 "
        "a0=7ffd0010 a1=7ffd0020 ppid=4200 pid=4242 auid=1000 uid=1000 gid=1001 euid=1000 suid=1000 "
        "fsuid=1000 egid=1001 sgid=1001 fsgid=1001 tty=(none) ses=3 comm=\"cat\" exe=\"/usr/bin/cat\" "
        "exe_mode=0100755 exe_ouid=0 exe_ogid=0 cwd=\"/home/ann\" path1=\"/home/ann/a\\nb\" "
        "path2=\"/home/ann/c\" tid=4243 user_memory=path1,path2 truncated=path2:5000+ dropped_before=12\n");
}

TEST_F(TextFormatterTest, AnEventThatStandsForSeveral) {
    Event event = samples::on_connection(samples::connect);
    const Fold fold{.count = 12, .first_ns = event.time_ns - 42};
    event.fold = &fold;
    EXPECT_THAT(line(event), testing::EndsWith(" folded=12 first=2025-11-21T21:16:05.000000000Z\n"));
}

TEST_F(TextFormatterTest, ExecWholeLine) {
    const std::string argv = samples::string_list({"ls", "-l", "a \"b\"", ""});
    Event event = samples::call(samples::execve, 0, {0x55, 0x66, 0x77});
    event.image.argv = known<StringList>(argv);
    EXPECT_THAT(line(event),
                testing::EndsWith(" cwd=\"/home/ann\" cmdline=[\"ls\",\"-l\",\"a \\\"b\\\"\",\"\"]\n"));
}

TEST_F(TextFormatterTest, LossWholeLine) {
    std::string out;
    formatter_->format(LossEvent{1'763'759'765'123'456'789, "buffer_full", 17, 2}, out);
    formatter_->format(LossEvent{0, "buffer_full", 3, 0, LossEvent::Gap{1, 7, 10}}, out);
    formatter_->format(LossEvent{1'763'759'765'123'456'789, "sink_full", 1, -1}, out);
    EXPECT_EQ(out,
              "timestamp=2025-11-21T21:16:05.123456789Z node=\"web1\" loss=\"buffer_full\" count=17 cpu=2\n"
              "timestamp=1970-01-01T00:00:00.000000000Z node=\"web1\" loss=\"buffer_full\" count=3 cpu=0 "
              "slot=1 gap=7-10\n"
              "timestamp=2025-11-21T21:16:05.123456789Z node=\"web1\" loss=\"sink_full\" count=1\n");
}

TEST_F(TextFormatterTest, FailedExecShowsWhatWasAskedFor) {
    const std::string argv = samples::string_list({"/nope", "x"});
    Event event = samples::call(samples::execve, -ENOENT);
    const std::string old = samples::string_list({"cat"});
    event.image.argv = known<StringList>(old);
    event.exec_argv = known<StringList>(argv, Source::user_memory);
    samples::add_path(event, 0, "/nope", Source::user_memory);
    const auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "path"), text("/nope"));
    EXPECT_EQ(field(parsed, "cmdline"), list({"/nope", "x"}));
    EXPECT_EQ(field(parsed, "exe"), text("/usr/bin/cat"));
    EXPECT_EQ(field(parsed, "user_memory"), word("path,cmdline"));
}

TEST_F(TextFormatterTest, AnExecThatOnlyChecksIsAboutWhatWasAskedFor) {
    const std::string argv = samples::string_list({"ls"});
    const std::string old = samples::string_list({"cat"});
    Event event = samples::call(samples::execve, 0);
    event.executed = false;
    event.image.argv = known<StringList>(old);
    auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "cmdline"), word("?"));
    EXPECT_EQ(field(parsed, "missing"), word("cmdline"));
    event.exec_argv = known<StringList>(argv, Source::user_memory);
    parsed = fields(event);
    EXPECT_EQ(field(parsed, "cmdline"), list({"ls"}));
}

TEST_F(TextFormatterTest, InterruptedCalls) {
    Event event = samples::call(samples::openat, -EINTR);
    EXPECT_FALSE(text_line::has(fields(event), "interrupted"));
    event.interrupted = true;
    EXPECT_EQ(field(fields(event), "interrupted"), word("yes"));
}

TEST_F(TextFormatterTest, AnUnfinishedLastArgumentIsShown) {
    Event event = samples::call(samples::execve, 0);
    event.image.argv = known<StringList>(std::string_view("ls\0verylo", 9));
    event.image.argv.status = Status::truncated;
    event.image.argv.original_length = 40000;
    const auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "cmdline"), list({"ls", "verylo"}));
    EXPECT_EQ(field(parsed, "truncated"), word("cmdline:40000"));
}

TEST_F(TextFormatterTest, ProcessEvents) {
    Event fork = samples::event(EBT_FORK);
    fork.child_pid = 5000;
    fork.child_status = Status::ok;
    auto parsed = fields(fork);
    EXPECT_EQ(field(parsed, "syscall"), word("process_fork"));
    EXPECT_EQ(field(parsed, "success"), word("yes"));
    EXPECT_EQ(field(parsed, "exit"), word("?"));
    EXPECT_EQ(field(parsed, "child_pid"), word("5000"));
    EXPECT_FALSE(text_line::has(parsed, "a0"));

    const std::string argv = samples::string_list({"cat", "/etc/passwd"});
    Event exec = samples::event(EBT_EXEC);
    exec.image.argv = known<StringList>(argv);
    parsed = fields(exec);
    EXPECT_EQ(field(parsed, "syscall"), word("process_exec"));
    EXPECT_EQ(field(parsed, "cmdline"), list({"cat", "/etc/passwd"}));

    Event exit = samples::event(EBT_EXIT);
    exit.ret = 3 << 8;
    parsed = fields(exit);
    EXPECT_EQ(field(parsed, "syscall"), word("process_exit"));
    EXPECT_EQ(field(parsed, "success"), word("no")); // as the rules' success
    EXPECT_EQ(field(parsed, "exit"), word("?"));
    EXPECT_EQ(field(parsed, "exit_code"), word("3"));
    EXPECT_FALSE(text_line::has(parsed, "signal"));
    exit.ret = 0;
    EXPECT_EQ(field(fields(exit), "success"), word("yes"));

    exit.ret = 11 | 0x80;
    parsed = fields(exit);
    EXPECT_EQ(field(parsed, "signal"), word("11"));
    EXPECT_EQ(field(parsed, "core_dumped"), word("yes"));
    EXPECT_FALSE(text_line::has(parsed, "exit_code"));
}

TEST_F(TextFormatterTest, CallsThatNeverReturnHaveNoResult) {
    Event event = samples::call(samples::exit_group, 0, {7});
    event.returns = false;
    const auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "success"), word("?"));
    EXPECT_EQ(field(parsed, "exit"), word("?"));
    EXPECT_EQ(field(parsed, "a0"), word("7"));
}

TEST_F(TextFormatterTest, AsManyArgumentsAsTheCallHas) {
    EXPECT_THAT(line(samples::call(samples::getpid, 4242)), HasSubstr(" exit=4242 ppid="));
    Event unknown = samples::event();
    unknown.nr = 999;
    unknown.ret = -ENOSYS;
    unknown.args = {1, 2, 3, 4, 5, UINT64_MAX};
    EXPECT_THAT(line(unknown), HasSubstr(" syscall=999 success=no exit=-38 a0=1 a1=2 a2=3 a3=4 a4=5 "
                                         "a5=ffffffffffffffff ppid="));
}

TEST_F(TextFormatterTest, WhatIsNotKnownIsAQuestionMark) {
    Event event = samples::call(samples::openat, -EFAULT);
    event.missing = EBT_MISSING_ARGS | EBT_MISSING_PPID | EBT_MISSING_AUDIT | EBT_MISSING_CREDENTIALS |
                    EBT_MISSING_ABI | EBT_MISSING_EXEC_ID;
    event.image = Image();
    event.cwd.status = Status::unavailable;
    event.paths = 1;
    event.path[0].status = Status::fault;
    event.lost_fields = true;
    const auto parsed = fields(event);
    for (const char* name : {"arch", "a0",   "a1",       "a2",       "a3",       "ppid", "auid",  "uid",
                             "gid",  "euid", "suid",     "fsuid",    "egid",     "sgid", "fsgid", "tty",
                             "ses",  "exe",  "exe_mode", "exe_ouid", "exe_ogid", "cwd",  "path"})
        EXPECT_EQ(field(parsed, name), word("?")) << name;
    EXPECT_EQ(field(parsed, "fault"), word("path"));
    EXPECT_EQ(field(parsed, "missing"), word("args,ppid,audit,credentials,arch,exe,cwd,fields"));
}

TEST_F(TextFormatterTest, NothingIsSaidWhereNothingIsToSay) {
    Event event = samples::call(samples::getpid, 1);
    event.missing = EBT_MISSING_EXEC_ID | EBT_MISSING_START_TIME; // a line does not show them
    EXPECT_THAT(line(event), testing::EndsWith(" cwd=\"/home/ann\"\n"));
}

TEST_F(TextFormatterTest, TextThatLooksLikeAWordStaysText) {
    Event event = samples::call(samples::openat, 3);
    event.comm = "?";
    event.image.tty = known("(none)");
    const auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "comm"), text("?"));
    EXPECT_EQ(field(parsed, "tty"), text("(none)"));
}

TEST_F(TextFormatterTest, StringsGoByTheNameOfTheirArgument) {
    Event event = samples::call(samples::setxattr, 0);
    samples::add_path(event, 0, "/f");
    event.strings = 1;
    event.string[0] = known<StringField>("user.\x01", Source::user_memory);
    event.string[0].argument = 1;
    EXPECT_THAT(line(event), HasSubstr(" path=\"/f\" name=\"user.\\x01\" user_memory=name\n"));
}

TEST_F(TextFormatterTest, RemarksOnPaths) {
    Event event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "a");
    event.path[0].relative = true;
    samples::add_path(event, 1, "b");
    event.path[1].detached = true;
    event.root = known("/srv/jail");
    event.image.exe.source = Source::procfs;
    const auto parsed = fields(event);
    EXPECT_EQ(field(parsed, "relative"), word("path1"));
    EXPECT_EQ(field(parsed, "detached"), word("path2"));
    EXPECT_EQ(field(parsed, "chroot"), text("/srv/jail"));
    EXPECT_EQ(field(parsed, "procfs"), word("exe"));
}

TEST_F(TextFormatterTest, HostileStringsComeBackByteByByte) {
    for (const std::string& bytes : samples::hostile_strings()) {
        Event event = samples::call(samples::rename, 0);
        event.comm = bytes;
        event.cwd = known(bytes);
        event.image.exe.bytes = bytes;
        event.image.tty = known(bytes);
        samples::add_path(event, 0, bytes);
        const std::string second = bytes + "!";
        samples::add_path(event, 1, second);
        const std::string out = line(event);
        expect_harmless(out);
        const auto parsed = text_line::parse(out);
        for (const char* name : {"comm", "cwd", "exe", "tty", "path1"})
            EXPECT_EQ(field(parsed, name), text(bytes)) << name;
        EXPECT_EQ(field(parsed, "path2"), text(second));
    }
}

TEST_F(TextFormatterTest, RandomBytesComeBackByteByByte) {
    std::mt19937 random(20251121);
    for (int round = 0; round < 3000; ++round) {
        const samples::RandomExecve sample(random);
        const std::string out = line(sample.event);
        expect_harmless(out);
        const auto parsed = text_line::parse(out);
        ASSERT_EQ(field(parsed, "comm"), text(sample.comm));
        ASSERT_EQ(field(parsed, "path"), text(sample.path));
        ASSERT_EQ(field(parsed, "cmdline"), list(sample.arguments));
    }
}

TEST_F(TextFormatterTest, TheOrderOfFieldsIsFixed) {
    Event event = samples::call(samples::rename, 0);
    samples::add_path(event, 0, "/a");
    samples::add_path(event, 1, "/b");
    std::vector<std::string> names;
    for (const auto& [name, value] : fields(event))
        names.push_back(name);
    EXPECT_THAT(names, testing::ElementsAre("timestamp", "node", "arch", "syscall", "success", "exit", "a0",
                                            "a1", "ppid", "pid", "auid", "uid", "gid", "euid", "suid",
                                            "fsuid", "egid", "sgid", "fsgid", "tty", "ses", "comm", "exe",
                                            "exe_mode", "exe_ouid", "exe_ogid", "cwd", "path1", "path2"));
}

/// "cmdline" is not among them: only an exec has that field, and no exec has a string.
TEST_F(TextFormatterTest, NoArgumentOfTheTableHasTheNameOfAFixedField) {
    const std::set<std::string_view> taken = {
        "timestamp", "node",        "arch",        "syscall",       "success", "exit",    "ppid",
        "pid",       "auid",        "uid",         "gid",           "euid",    "suid",    "fsuid",
        "egid",      "sgid",        "fsgid",       "tty",           "ses",     "comm",    "exe",
        "exe_mode",  "exe_ouid",    "exe_ogid",    "cwd",           "path",    "path1",   "path2",
        "path3",     "path4",       "addr",        "local",         "remote",  "chroot",  "tid",
        "loss",      "user_memory", "procfs",      "truncated",     "fault",   "missing", "relative",
        "detached",  "foreign",     "interrupted", "dropped_before"};
    for (const auto& row : ebpf_loader::syscall_rows()) {
        for (size_t i = 0; i < row.arguments; ++i) {
            if (row.argument[i].kind == ebpf_loader::ArgKind::string) {
                EXPECT_FALSE(taken.contains(row.argument[i].name)) << row.name << " " << row.argument[i].name;
            }
        }
    }
}

TEST_F(TextFormatterTest, EveryFieldIsInTheDocumentation) {
    std::ifstream file(SOURCE_DIR "/docs/output.md");
    std::ostringstream page;
    page << file.rdbuf();
    Event event = samples::call(samples::openat, -EFAULT, {1, 2, 3, 4});
    event.missing = EBT_MISSING_PPID;
    event.image.exe.source = Source::procfs;
    event.cwd.foreign = true;
    event.root = known("/jail");
    event.interrupted = true;
    event.tid = 1;
    event.dropped_before = 1;
    for (const Status status : {Status::ok, Status::truncated, Status::fault}) {
        samples::add_path(event, 1, "x", Source::user_memory);
        event.path[event.paths - 1u].status = status;
        event.path[event.paths - 1u].relative = event.path[event.paths - 1u].detached = true;
    }
    event.sockaddr.status = Status::fault;
    Event exit = samples::event(EBT_EXIT);
    exit.ret = 0x80 | 6;
    Event fork = samples::event(EBT_FORK);
    size_t names = 0;
    for (const Event& shown : {event, exit, fork}) {
        for (const auto& [name, value] : fields(shown)) {
            const bool numbered = name.ends_with("1") || name.ends_with("2") || name.ends_with("3");
            const bool is_there = page.str().find("`" + name + "`") != std::string::npos ||
                                  page.str().find("`" + name + "=") != std::string::npos;
            EXPECT_TRUE(is_there || numbered) << name;
            ++names;
        }
    }
    EXPECT_GT(names, 90U);
}
