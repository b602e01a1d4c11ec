// SPDX-License-Identifier: MIT
#include <algorithm>
#include <random>

#include "telemetry/output/audit/line.hpp"
#include "test/unit/output/audit_support.hpp"

using namespace audit_test;
using audit_records::arguments;
using audit_records::bytes_of;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(AuditTest, StringsAreQuotedOrHexadecimalByTheKernelsRule) {
    const auto cwd = [&](std::string_view bytes) {
        Event event = opened();
        event.cwd = known(bytes);
        return only(records(event), "CWD").field("cwd");
    };
    EXPECT_EQ(cwd("!#~'="), "\"!#~'=\"");
    EXPECT_EQ(cwd(""), "\"\"");
    EXPECT_EQ(cwd("a b"), "612062");
    EXPECT_EQ(cwd("a\"b"), "612262");
    EXPECT_EQ(cwd("a\x7f"), "617F");
    EXPECT_EQ(cwd("\x1d\n"), "1D0A");
    EXPECT_EQ(cwd("gr\xc3\xbc\xc3\x9f"), "6772C3BCC39F");
}

TEST_F(AuditTest, ANameCannotPassForAnotherField) {
    Event event = opened();
    event.comm = "exe=/bin/true";
    event.path[0].bytes = "/tmp/type=PARENT";
    const auto all = records(event);
    EXPECT_EQ(all[0].field("comm"), "6578653D2F62696E2F74727565");
    EXPECT_EQ(bytes_of(only(all, "PATH").field("name")), "/tmp/type=PARENT");
    EXPECT_EQ(lines(event).find("type=PARENT"), std::string::npos);
}

TEST_F(AuditTest, HostileBytesComeBackAndForgeNothing) {
    for (const std::string& hostile : samples::hostile_strings()) {
        Event event = executed("");
        std::string argument = hostile;
        std::erase(argument, '\0');
        const std::string argv = samples::string_list({"cat", argument});
        event.image.argv = known<StringList>(argv);
        event.comm = std::string_view(hostile).substr(0, 15);
        event.cwd = event.root = known(hostile);
        event.image.tty = known(hostile.substr(0, 0));
        event.image.tty.bytes = std::string_view(hostile).substr(0, 63);
        event.image.exe.bytes = std::string_view(hostile).substr(0, 4096);
        event.path[0].bytes = hostile;
        Witnessed witnessed;
        witnessed.called[0] = known(hostile);
        event.witnessed = &witnessed;
        const auto all = records(event);
        auto others = types(all);
        EXPECT_GE(std::erase(others, "EXECVE"), 1U);
        EXPECT_THAT(others, ElementsAre("SYSCALL", "CWD", "PATH", "PROCTITLE", "EOE"));
        EXPECT_EQ(bytes_of(all[0].field("comm")), event.comm);
        EXPECT_EQ(arguments(all), (std::vector<std::string>{"cat", argument}));
        const std::string cwd = bytes_of(only(all, "CWD").field("cwd"));
        EXPECT_EQ(cwd, hostile) << "none takes more than 8,192 bytes";
        event.kind = EBT_EXIT;
        const auto end = records(event);
        ASSERT_EQ(end.size(), 1U);
        EXPECT_EQ(bytes_of(end[0].field("comm")), event.comm);
        EXPECT_EQ(end[0].field("res"), "success");
    }
}

TEST_F(AuditTest, RandomExecsComeBackByteByByte) {
    std::mt19937 random(20251127);
    for (int round = 0; round < 1000; ++round) {
        const samples::RandomExecve sample(random);
        const auto all = records(sample.event);
        ASSERT_EQ(bytes_of(all[0].field("comm")), sample.comm);
        ASSERT_EQ(arguments(all), sample.arguments);
        ASSERT_EQ(bytes_of(only(all, "PATH").field("name")), sample.path);
    }
}

TEST_F(AuditTest, WhatARecordHasNoRoomForIsCutAndSaysSo) {
    const std::string longest(4096, '\n');
    const std::string longer(9000, '\n'), long_and_plain(9000, 'x');
    Event event = opened();
    event.image.exe.bytes = longest;
    event.cwd = event.root = known(longer);
    event.path[0].bytes = longer;
    Witnessed witnessed;
    witnessed.called[0] = known(longer);
    event.witnessed = &witnessed;
    auto all = records(event);
    EXPECT_EQ(bytes_of(all[0].field("exe")), longest.substr(0, 3200));
    EXPECT_EQ(all[0].field("truncated"), "exe:4096,cwd:9000,chroot:9000,path:9000,called_path:9000");
    EXPECT_EQ(bytes_of(only(all, "PATH").field("name")), longest);
    event.path[0].bytes = long_and_plain;
    EXPECT_EQ(bytes_of(only(records(event), "PATH").field("name")), long_and_plain.substr(0, 8190));
    event.kind = EBT_EXIT;
    EXPECT_EQ(bytes_of(records(event)[0].field("exe")), longest.substr(0, 3200));
}

TEST_F(AuditTest, EventsHaveTheKeyOfTheirRule) {
    Event event = opened();
    event.key = "time-change";
    EXPECT_EQ(records(event)[0].field("key"), "\"time-change\"");
    event.key = "a key = \"";
    EXPECT_EQ(bytes_of(records(event)[0].field("key")), event.key);
    for (const int64_t status : {0, 11}) {
        Event end = samples::event(EBT_EXIT);
        end.ret = status;
        end.key = "it's";
        EXPECT_EQ(bytes_of(records(end)[0].field("key")), end.key);
        EXPECT_EQ(records(end)[0].field("pid"), "4242");
    }
    EXPECT_FALSE(records(samples::event(EBT_FORK))[0].has("key"));
}

TEST_F(AuditTest, TheLongestRecordIsNotTooLong) {
    const std::string path(4096, '\n'), key(256, ' '), comm(15, ' '), tty(63, ' ');
    const std::string argv = samples::string_list({path});
    Event event = executed(argv);
    event.paths = 4;
    for (PathField& each : event.path) {
        each = known<PathField>(path, Source::user_memory);
        each.status = Status::truncated;
        each.shared = each.foreign = each.detached = each.deleted = each.relative = each.lexical = true;
    }
    event.comm = comm;
    event.key = key;
    event.image.tty = known(tty);
    event.image.exe = event.path[0];
    event.image.argv.status = Status::truncated;
    event.image.argv.source = Source::procfs;
    event.cwd = event.root = event.path[0];
    event.missing = UINT32_MAX;
    event.lost_fields = event.unwitnessed = event.interrupted = true;
    event.tid = event.pid = event.ppid = UINT32_MAX;
    event.args.fill(UINT64_MAX);
    event.ret = INT64_MAX;
    event.execution = EBT_UNPROVEN | EBT_SECCOMP | EBT_TRACED;
    event.dropped_before = UINT64_MAX;
    Witnessed witnessed;
    witnessed.called.fill(event.path[0]);
    event.witnessed = &witnessed;
    EXPECT_EQ(bytes_of(records(event)[0].field("exe")), path.substr(0, 3200)) << "parse() throws if it is";
    event.kind = EBT_FORK;
    EXPECT_EQ(records(event).size(), 1U);
}

TEST_F(AuditTest, WhatThereIsToKnowStandsBehindTheKey) {
    Event event = opened();
    event.path[0].source = Source::user_memory;
    event.tid = 4250;
    event.interrupted = true;
    event.dropped_before = 5;
    const Fold fold{.count = 12, .first_ns = event.time_ns - 5};
    event.fold = &fold;
    const std::string all = lines(event);
    EXPECT_THAT(all, HasSubstr(" key=(null) folded=\"12\" interrupted=yes tid=\"4250\" user_memory=path "
                               "dropped_before=\"5\"\n"));
}

TEST_F(EnrichedAuditTest, NamesStandBehindTheRecord) {
    EXPECT_THAT(
        lines(opened()),
        HasSubstr(" key=(null)\035ARCH=x86_64 SYSCALL=openat AUID=\"ann\" UID=\"ann\" GID=\"staff\" "
                  "EUID=\"ann\" SUID=\"ann\" FSUID=\"ann\" EGID=\"staff\" SGID=\"staff\" FSGID=\"staff\"\n"));
    EXPECT_THAT(lines(opened()), HasSubstr(" nametype=NORMAL\035OUID=\"ann\" OGID=\"staff\"\n"));
    Event event = opened();
    event.auid = UINT32_MAX;
    event.uid = 77;
    event.call = nullptr;
    event.nr = 9999;
    EXPECT_THAT(
        lines(event),
        HasSubstr("\035ARCH=x86_64 SYSCALL=unknown-syscall(9999) AUID=\"unset\" UID=\"unknown(77)\" "));
    EXPECT_THAT(lines(samples::event(EBT_FORK)), HasSubstr("res=success'\035UID=\"ann\" AUID=\"ann\"\n"));
}

TEST_F(EnrichedAuditTest, AddressesAreReadable) {
    const auto names = [&](const std::string& bytes) {
        Event event = samples::call(samples::connect, -ECONNREFUSED);
        event.sockaddr = known(bytes);
        return only(records(event), "SOCKADDR").names;
    };
    EXPECT_EQ(names(samples::inet("\x0a\0\0\x01", 443)), "SADDR={ saddr_fam=inet laddr=10.0.0.1 lport=443 }");
    EXPECT_EQ(names(samples::sockaddr_of(AF_UNIX, "/run/x")), "SADDR={ saddr_fam=local path=/run/x }");
    EXPECT_EQ(names(samples::sockaddr_of(AF_UNIX, "/run/x } UID=\"root\"")),
              "SADDR={ saddr_fam=local path=? }");
    EXPECT_EQ(names(samples::sockaddr_of(AF_UNIX, "/run/\035UID=0")), "SADDR={ saddr_fam=local path=? }");
}

TEST_F(EnrichedAuditTest, HostileBytesMakeNoNames) {
    for (const std::string& hostile : samples::hostile_strings()) {
        Event event = opened();
        event.comm = std::string_view(hostile).substr(0, 15);
        event.cwd = known(hostile);
        event.path[0].bytes = hostile;
        event.image.exe.bytes = std::string_view(hostile).substr(0, 4096);
        for (const Record& record : records(event)) {
            if (record.type == "SYSCALL")
                EXPECT_TRUE(record.names.starts_with("ARCH=x86_64 SYSCALL=openat AUID=\"ann\" UID=\"ann\" "));
            else if (record.type == "PATH")
                EXPECT_EQ(record.names, "OUID=\"ann\" OGID=\"staff\"");
            else
                EXPECT_EQ(record.names, "");
        }
    }
}

TEST(AuditRule, EachByteIsJudgedWhereverItStands) {
    for (const size_t length : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 40U}) {
        for (size_t at = 0; at < length; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(length, 'a');
                text[at] = static_cast<char>(byte);
                const bool control = byte < 0x21 || byte > 0x7e || byte == '"';
                ASSERT_EQ(AuditLine::needs_hex(text, AuditRule::kernel), control) << byte << " at " << at;
                ASSERT_EQ(AuditLine::needs_hex(text, AuditRule::strict),
                          control || byte == '=' || byte == '\'')
                    << byte << " at " << at;
            }
        }
    }
    EXPECT_FALSE(AuditLine::needs_hex("", AuditRule::strict));
}
