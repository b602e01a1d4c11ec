// SPDX-License-Identifier: MIT
// Who a process is and whom it descends from, as JSON has it.
#include <algorithm>
#include <fstream>

#include "telemetry/process/lineage.hpp"
#include "test/unit/output/json_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace json_test;
using samples::known;

namespace {

class JsonProcessTest : public JsonFormatterTest {
  protected:
    /// An event of a process that executes `exe` with `argv`, as the lineage then has it.
    json event_of(uint32_t pid, const std::string& exe, const std::string& argv,
                  ebt_record_kind kind = EBT_SYSCALL, uint32_t exec_id = 1) {
        Event event = kind == EBT_SYSCALL ? samples::call(samples::getpid, 1) : samples::event(kind);
        event.pid = event.tid = pid;
        event.ppid = pid - 1;
        event.exec_id = exec_id;
        event.start_time_ns = pid * 1'000'000'000ULL;
        event.image.exe = known<PathField>(exe);
        event.image.argv = known<StringList>(argv);
        event.lineage = lineage_.note(event);
        return object(event);
    }
    void fork(uint32_t parent, uint32_t child, uint32_t exec_id = 1) {
        Event event = samples::event(EBT_FORK);
        event.pid = event.tid = parent;
        event.ppid = parent - 1;
        event.exec_id = exec_id;
        event.start_time_ns = parent * 1'000'000'000ULL;
        event.child_pid = child;
        event.child_start_time_ns = child * 1'000'000'000ULL;
        event.child_status = Status::ok;
        event.image = {}; // a fork brings none
        lineage_.note(event);
    }
    void lead_session(uint32_t pid) {
        static const auto rows = ebpf_loader::syscall_rows();
        const auto row = std::ranges::find(rows, "setsid", &ebpf_loader::SyscallRow::name);
        Event event = samples::call(*row, pid);
        event.pid = event.tid = pid;
        event.exec_id = 1;
        event.start_time_ns = pid * 1'000'000'000ULL;
        lineage_.note(event);
    }

    Lineage lineage_{"/nonexistent"};
};

TEST_F(JsonProcessTest, TheParentIsWhoForkedIt) {
    const std::string shell = samples::string_list({"sh", "-c", "ls"}), ls = samples::string_list({"ls"});
    event_of(50, "/bin/sh", shell);
    fork(50, 51);
    const json made = event_of(51, "/bin/ls", ls, EBT_EXEC, 2);
    const json& parent = made["process"]["parent"];
    EXPECT_EQ(parent["pid"], 50);
    EXPECT_EQ(parent["name"], "sh");
    EXPECT_EQ(parent["executable"], "/bin/sh");
    EXPECT_EQ(parent["args"], json({"sh", "-c", "ls"}));
    EXPECT_EQ(parent["args_count"], 3);
    EXPECT_EQ(parent["command_line"], "sh -c ls");
    EXPECT_EQ(parent["user"]["id"], "1000");
    EXPECT_EQ(parent["entity_id"], "6a3d3e1c-0e0b-50-50000000000");
    EXPECT_EQ(made["process"]["name"], "ls");
    EXPECT_FALSE(made["linux"]["process"].contains("ppid")); // the kernel says the same
}

TEST_F(JsonProcessTest, WhatChangesOfTheParentShowsAtOnce) {
    const std::string argv = samples::string_list({"a"});
    event_of(50, "/bin/first", argv);
    fork(50, 51);
    EXPECT_EQ(event_of(51, "/bin/ls", argv)["process"]["parent"]["name"], "first");
    EXPECT_EQ(event_of(51, "/bin/ls", argv)["process"]["parent"]["name"], "first");
    event_of(50, "/bin/second", argv, EBT_EXEC, 2);
    EXPECT_EQ(event_of(51, "/bin/ls", argv)["process"]["parent"]["name"], "second");
}

TEST_F(JsonProcessTest, ItsOwnArgumentsChangeWithItsImage) {
    const std::string one = samples::string_list({"x", "one"}), two = samples::string_list({"x", "two"});
    EXPECT_EQ(event_of(50, "/bin/x", one)["process"]["args"][1], "one");
    EXPECT_EQ(event_of(50, "/bin/x", one)["process"]["args"][1], "one");
    event_of(50, "/bin/x", two, EBT_EXEC, 2);
    EXPECT_EQ(event_of(50, "/bin/x", two, EBT_SYSCALL, 2)["process"]["args"][1], "two");
}

TEST_F(JsonProcessTest, LongArgumentsAreRepeatedInPart) {
    std::vector<std::string> arguments(2000, "argument");
    const std::string argv = samples::string_list(arguments);
    const json exec = event_of(50, "/bin/x", argv, EBT_EXEC, 2);
    EXPECT_EQ(exec["process"]["args"].size(), 2000U);
    const json later = event_of(50, "/bin/x", argv, EBT_SYSCALL, 2);
    EXPECT_EQ(later["process"]["args"].size(), 1024U / 9);
    EXPECT_EQ(later["process"]["args_count"], 2000);
    EXPECT_EQ(later["linux"]["telemetry"]["truncated"],
              json::parse(R"([{"field":"process.args","original_length":18000}])"));
}

TEST_F(JsonProcessTest, BytesThatAreNoUtf8AreRecoverableFromEachEvent) {
    const std::string argv = samples::string_list({"caf\xe9"});
    event_of(50, "/bin/x", argv);
    EXPECT_EQ(bytes_of(event_of(50, "/bin/x", argv), "process.args[0]"), "caf\xe9");
    EXPECT_EQ(bytes_of(event_of(50, "/bin/x", argv), "process.args[0]"), "caf\xe9");
}

TEST_F(JsonProcessTest, LeadersOfSessionGroupAndEntry) {
    const std::string argv = samples::string_list({"-D"}), shell = samples::string_list({"-bash"});
    event_of(40, "/usr/sbin/sshd", argv);
    fork(40, 41);
    lead_session(41);
    json made = event_of(41, "/bin/bash", shell, EBT_EXEC, 2);
    EXPECT_EQ(made["process"]["entry_leader"]["pid"], 41);
    EXPECT_EQ(made["process"]["entry_leader"]["entry_meta"]["type"], "sshd");
    EXPECT_EQ(made["process"]["entry_leader"]["same_as_process"], true);
    fork(41, 42, 2);
    made = event_of(42, "/bin/ls", shell, EBT_EXEC, 2);
    for (const char* leader : {"session_leader", "group_leader", "entry_leader"}) {
        EXPECT_EQ(made["process"][leader]["pid"], 41) << leader;
        EXPECT_EQ(made["process"][leader]["name"], "bash") << leader;
        EXPECT_EQ(made["process"][leader].value("same_as_process", false), false) << leader;
    }
    EXPECT_EQ(made["process"]["entry_leader"]["same_as_process"], false);
    EXPECT_EQ(made["process"]["entry_leader"]["executable"], "/bin/bash");
    EXPECT_FALSE(made["process"]["session_leader"].contains("executable")) << "it is the parent's";
    fork(42, 43, 2);
    made = event_of(43, "/bin/cat", shell, EBT_EXEC, 2);
    EXPECT_EQ(made["process"]["session_leader"]["executable"], "/bin/bash");
    EXPECT_EQ(made["process"]["entry_leader"]["entry_meta"]["type"], "sshd");
}

TEST_F(JsonProcessTest, AServiceEntersByInit) {
    const std::string argv = samples::string_list({"x"});
    event_of(1, "/lib/systemd/systemd", argv);
    fork(1, 2);
    lead_session(2);
    EXPECT_EQ(
        event_of(2, "/usr/sbin/cron", argv, EBT_EXEC, 2)["process"]["entry_leader"]["entry_meta"]["type"],
        "init");
}

TEST_F(JsonProcessTest, WithoutTheParentItsIdIsKnown) {
    const std::string argv = samples::string_list({"x"});
    const json made = event_of(50, "/bin/x", argv);
    EXPECT_EQ(made["process"]["parent"], json({{"pid", 49}}));
    EXPECT_FALSE(made["process"].contains("session_leader"));
}

TEST_F(JsonProcessTest, NamesOfUsersAndGroups) {
    TemporaryFolder folder;
    std::ofstream(folder.path() + "/passwd") << "ann:x:1000:1001\n";
    std::ofstream(folder.path() + "/group") << "staff:x:1001:\n";
    FormatContext context = samples::context();
    context.accounts = std::make_shared<const AccountFiles>(folder.path());
    formatter_ = format_named("json").make(context);
    const json made = object(samples::event());
    const json ann = {{"id", "1000"}, {"name", "ann"}}, staff = {{"id", "1001"}, {"name", "staff"}};
    EXPECT_EQ(made["user"], json({{"id", "1000"}, {"name", "ann"}, {"effective", {{"id", "1000"}}}}));
    EXPECT_EQ(made["process"]["user"], ann);
    EXPECT_EQ(made["process"]["real_user"], ann);
    EXPECT_EQ(made["group"], staff);
    Event changed = samples::event();
    changed.suid = 7;
    changed.sgid = 1001;
    changed.egid = 0;
    const json other = object(changed)["process"];
    EXPECT_EQ(other["saved_user"], json({{"id", "7"}}));
    EXPECT_EQ(other["saved_group"], staff);
    Event event = samples::call(samples::openat, 3);
    event.paths = 1;
    event.path[0].has_inode = true;
    event.path[0].inode = {77, 0xef53, 0100644, 1000, 1001, 0x800001};
    EXPECT_EQ(object(event)["file"]["owner"], "ann");
    EXPECT_EQ(object(event)["file"]["group"], "staff");
    event.path[0].inode.uid = 7; // has no name
    EXPECT_FALSE(object(event)["file"].contains("owner"));
}

TEST_F(JsonProcessTest, CapabilitiesOfAnExecByName) {
    Event event = samples::call(samples::execve, 0);
    event.image.capabilities = {true, 0x3, 0x1};
    const json thread = object(event)["process"]["thread"];
    EXPECT_EQ(thread["capabilities"]["effective"], json({"CAP_CHOWN"}));
    EXPECT_EQ(thread["capabilities"]["permitted"], json({"CAP_CHOWN", "CAP_DAC_OVERRIDE"}));
    event.image.capabilities = {true, uint64_t{1} << 63, uint64_t{1} << 63};
    EXPECT_EQ(object(event)["process"]["thread"]["capabilities"], json({{"effective", {"CAP_63"}}}));
    event.image.capabilities = {true, 0, 0};
    EXPECT_EQ(object(event)["process"]["thread"]["capabilities"], json({{"effective", json::array()}}));
    event.ret = -ENOENT;
    EXPECT_FALSE(object(event)["process"]["thread"].contains("capabilities"));
}

/// With --hash.
TEST_F(JsonProcessTest, HashOfTheExecutable) {
    Event event = samples::call(samples::execve, 0);
    EXPECT_FALSE(object(event)["process"].contains("hash"));
    const std::string digest(64, 'a');
    event.exe_sha256 = digest;
    EXPECT_EQ(object(event)["process"]["hash"], json({{"sha256", digest}}));
}

TEST_F(JsonProcessTest, TerminalsAsDevices) {
    const std::pair<const char*, json> terminals[] = {{"pts300", {{"major", 137}, {"minor", 44}}},
                                                      {"tty1", {{"major", 4}, {"minor", 1}}}};
    Event event = samples::event();
    for (const auto& [name, device] : terminals) {
        event.image.tty = known<Text>(name);
        EXPECT_EQ(object(event)["process"]["tty"]["char_device"], device) << name;
    }
    for (const char* other : {"ttyS0", "pts", "pts1x", "console"}) {
        event.image.tty = known<Text>(other);
        EXPECT_FALSE(object(event)["process"].contains("tty")) << other;
    }
    event.image.tty = {};
    EXPECT_EQ(object(event)["process"]["interactive"], false);
}

} // namespace
