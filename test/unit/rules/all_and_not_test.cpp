// SPDX-License-Identifier: MIT
// Rules of every call, rules of what is not wanted, and those of process events.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

// --- not

TEST(Rules, NotLinesExclude) {
    for (const char* text : {"kill\nnot kill a1=0", "not kill a1=0\nkill", "kill a1=0 a1=9\nnot kill a1=0"}) {
        EXPECT_TRUE(wants(text, "kill", {1, 9})) << text;
        EXPECT_FALSE(wants(text, "kill", {1, 0})) << text;
    }
    EXPECT_FALSE(wants("kill\nnot kill a1=0 a1=9", "kill", {1, 9})) << "one of its clauses";
    EXPECT_TRUE(wants("kill\nnot kill a1=0 && a0=2", "kill", {1, 0}));
    EXPECT_FALSE(wants("kill\nnot kill", "kill", {1, 0}));
    EXPECT_TRUE(parse("kill\nnot kill").compile().empty()) << "not even asked for";
    EXPECT_TRUE(parse("not kill a1=0").compile().empty());
}

TEST(Rules, NotLinesWithTextAreDecidedHere) {
    const std::string text = "unlink\nnot unlink path ^ /tmp/ && uid = 0";
    EXPECT_FALSE(wants_path(text, "/tmp/x"));
    EXPECT_TRUE(wants_path(text, "/etc/x"));
    const Rules rules = parse(text);
    EXPECT_EQ(rules.compile().plans().at(ebpf_loader::row_of(call("unlink"))).predicates, 0);
    EXPECT_FALSE(rules.kernel_decides(ebpf_loader::row_of(call("unlink"))));
}

// --- all

TEST(Rules, AllIsEveryCallOfTheTable) {
    const Rules rules = parse("all");
    size_t calls = 0; // that this machine has
    for (const auto& row : ebpf_loader::syscall_rows()) {
        calls += !ebpf_loader::numbers_of(row).empty();
        EXPECT_TRUE(rules.matches(event_of(row))) << row.name;
    }
    EXPECT_EQ(rules.compile().plans().size(), calls);
    EXPECT_FALSE(rules.matches(process_event(EBT_ROW_EXEC))) << "no system call";
}

TEST(Rules, ClausesOfAllCountForTheCallsThatFit) {
    const Rules rules = parse("all a3=5 path ^ /etc/ && ret < 0");
    const auto selection = rules.compile();
    EXPECT_TRUE(selection.plans().contains(ebpf_loader::row_of(call("openat"))));
    EXPECT_TRUE(selection.plans().contains(ebpf_loader::row_of(call("unlink")))) << "for its path";
    EXPECT_FALSE(selection.plans().contains(ebpf_loader::row_of(call("getpid"))));
    EXPECT_FALSE(selection.plans().contains(ebpf_loader::row_of(call("exit"))));
    EXPECT_TRUE(wants("all a3=5", "openat", {0, 0, 0, 5}));
    EXPECT_FALSE(wants("all a3=5", "openat", {0, 0, 0, 4}));
    EXPECT_TRUE(wants("all sig = SIGKILL", "kill", {1, 9}));
}

TEST(Rules, NotAllExcludesFromEveryCall) {
    const std::string text = "read\nwrite\nnot all comm = noisy\nnot all uid = 33";
    Event event = event_of("write");
    EXPECT_TRUE(wants(text, event));
    event.comm = "noisy";
    EXPECT_FALSE(wants(text, event));
    event.comm = "quiet";
    event.uid = 33;
    EXPECT_FALSE(wants(text, event));
    EXPECT_TRUE(parse("read\nnot all").compile().empty());
    EXPECT_TRUE(wants("all\nnot read", event_of("write")));
    EXPECT_FALSE(wants("all\nnot read", event_of("read")));
}

// --- process events

TEST(Rules, ProcessEvents) {
    const char* text =
        "process_fork\nprocess_exec exe ^ /tmp/\nprocess_exit ret != 0 success = yes && uid = 7";
    EXPECT_TRUE(wants(text, process_event(EBT_ROW_FORK)));
    Event exec = process_event(EBT_ROW_EXEC);
    EXPECT_FALSE(wants(text, exec));
    exec.image.exe.bytes = "/tmp/x";
    EXPECT_TRUE(wants(text, exec));
    Event exit = process_event(EBT_ROW_EXIT);
    EXPECT_FALSE(wants(text, exit));
    exit.uid = 7;
    EXPECT_TRUE(wants(text, exit)) << "success of an exit is status 0";
    exit.uid = 0;
    exit.ret = 256;
    EXPECT_TRUE(wants(text, exit));
    EXPECT_FALSE(wants("process_exit success=yes", exit));
    EXPECT_FALSE(wants("process_exit", process_event(EBT_ROW_FORK)));
    EXPECT_FALSE(wants("process_exit\nnot process_exit success=no", exit));
}

} // namespace
