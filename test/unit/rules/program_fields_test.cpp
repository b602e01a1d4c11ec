// SPDX-License-Identifier: MIT
// The fields that the program alone compares.
#include <chrono>
#include <memory>

#include "telemetry/process/lineage.hpp"
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

TEST(RulesProgramFields, Credentials) {
    const Event event = with([](Event& e) {
        e.gid = 1;
        e.egid = 2;
        e.sgid = 3;
        e.fsgid = 4;
        e.suid = 5;
        e.fsuid = 6;
        e.ses = 7;
    });
    EXPECT_TRUE(wants("read gid=1 && egid=2 && sgid=3 && fsgid=4 && suid=5 && fsuid=6 && ses=7", event));
    for (const char* wrong : {"gid=2", "egid=1", "sgid=1", "fsgid=1", "suid=1", "fsuid=1", "ses=1", "gid!=1"})
        EXPECT_FALSE(wants(std::string("read ") + wrong, event)) << wrong;
    EXPECT_TRUE(wants("read gid <= 1 && egid > 1 && sgid in {8, 3}", event));
    EXPECT_TRUE(wants("read ses=unset", with([](Event& e) { e.ses = UINT32_MAX; })));
    EXPECT_TRUE(wants("read\nnot read gid=2", event));
    EXPECT_FALSE(wants("read\nnot read gid=1", event));
}

TEST(RulesProgramFields, CredentialsThatAreNotKnownMayMatch) {
    const Event event = with([](Event& e) { e.missing = EBT_MISSING_CREDENTIALS | EBT_MISSING_AUDIT; });
    EXPECT_TRUE(wants("read gid=5", event));
    EXPECT_TRUE(wants("read gid!=0", event));
    EXPECT_TRUE(wants("read ses=5", event));
    EXPECT_TRUE(wants("read\nnot read gid=0", event));
}

TEST(RulesProgramFields, GiveWayToAnArgumentOfThatName) {
    const Event event = with(
        [](Event& e) {
            e.gid = 1;
            e.args[0] = 7;
        },
        "setgid");
    EXPECT_TRUE(wants("setgid gid = 7", event));
    EXPECT_FALSE(wants("setgid gid = 1", event));
    EXPECT_TRUE(wants("all gid = 7", event));
    EXPECT_TRUE(wants("let m = gid = 7\nsetgid $m", event));
    EXPECT_TRUE(parse("setgid gid = 7").kernel_decides(ebpf_loader::row_of(call("setgid"))));
}

TEST(RulesProgramFields, TheKernelTestsWhatElseTheClauseHas) {
    const Rules rules = parse("openat flags | 3 && gid = 7\nnot openat uid = 5 && gid = 1");
    const uint16_t row = ebpf_loader::row_of(call("openat"));
    EXPECT_FALSE(rules.kernel_decides(row));
    EXPECT_EQ(rules.compile().plans().at(row).predicates, 1);
    EXPECT_TRUE(parse("openat gid = 7").compile().plans().at(row).flags & EBT_INCLUDE_ALL);
}

TEST(RulesProgramFields, Arch) {
#ifdef __x86_64__
    const std::string native = "x86_64", compat = "i386", several = "{i386, x32}", third = "x32";
#else
    const std::string native = "aarch64", compat = "arm", several = "{arm}", third = "arm";
#endif
    EXPECT_TRUE(wants("read arch = " + native, event_of("read")));
    const Event of_32_bits = with([](Event& e) { e.abi = EBT_COMPAT_ABI; });
    EXPECT_TRUE(wants("read arch = " + compat, of_32_bits));
    EXPECT_TRUE(wants("read arch in " + several, of_32_bits));
    EXPECT_FALSE(wants("read arch = " + native, of_32_bits));
    EXPECT_TRUE(wants("read arch != " + native, of_32_bits));
    EXPECT_TRUE(wants("read arch = " + third, with([](Event& e) { e.missing = EBT_MISSING_ABI; })));
}

TEST(RulesProgramFields, DirectoryAndTerminal) {
    Event event = event_of("read");
    EXPECT_TRUE(wants("read cwd = /root && tty = \"\"", event));
    EXPECT_FALSE(wants("read cwd ^ /tmp", event));
    event.image.tty.bytes = "pts0";
    event.image.tty.status = Status::ok;
    EXPECT_TRUE(wants("read tty ^ pts", event));
    EXPECT_FALSE(wants("read tty = \"\"", event));
    event.cwd.status = Status::fault;
    EXPECT_TRUE(wants("read cwd = /tmp", event)) << "not known";
    event.cwd.status = Status::truncated; // the end of it
    EXPECT_TRUE(wants("read cwd ^ /tmp", event));
    EXPECT_FALSE(wants("read cwd $ /tmp", event));
    event.image.tty = {};
    event.image.exe = {};
    EXPECT_TRUE(wants("read tty = pts7", event)) << "nothing is known of the process";
}

Event with_arguments(std::string_view strings, Status status = Status::ok) {
    Event event = event_of("read");
    event.image.argv.bytes = strings;
    event.image.argv.status = status;
    event.image.argv.count = count_strings(strings);
    return event;
}

TEST(RulesProgramFields, TheCommandLine) {
    using namespace std::string_view_literals;
    const Event event = with_arguments("curl\0-d\0a b\0http://x\0"sv);
    for (const char* right :
         {"cmdline = \"curl -d a b http://x\"", "cmdline ^ \"curl -d \"", "cmdline $ \"b http://x\"",
          "cmdline ~ \"-d a\"", "cmdline ~ http", "cmdline != curl", "argv[0] = curl", "argv[2] = \"a b\"",
          "argv[3] ^ http", "argv[1] in {-x, -d}", "argv[9] != x"})
        EXPECT_TRUE(wants(std::string("read ") + right, event)) << right;
    for (const char* wrong :
         {"cmdline = curl", "cmdline ^ \"curl  \"", "cmdline $ http", "cmdline ~ \"d b\"", "cmdline ~ dat",
          "argv[0] = cur", "argv[4] = \"\"", "argv[9] = x", "cmdline ~ \"http://x \""})
        EXPECT_FALSE(wants(std::string("read ") + wrong, event)) << wrong;
    EXPECT_TRUE(wants("read argv[1] = \"\" && argv[0] = a", with_arguments("a\0\0b\0"sv)));
}

TEST(RulesProgramFields, ACommandLineThatWasCut) {
    using namespace std::string_view_literals;
    const Event event = with_arguments("curl\0-d\0a"sv, Status::truncated);
    for (const char* possible :
         {"cmdline ~ zz", "cmdline $ zz", "cmdline = \"curl -d abc\"", "cmdline ^ \"curl -d ab\"",
          "argv[2] = abc", "argv[7] = x", "cmdline = \"curl -d a\""})
        EXPECT_TRUE(wants(std::string("read ") + possible, event)) << possible;
    for (const char* wrong : {"cmdline ^ wget", "cmdline = curl", "cmdline = \"curl -x\"", "argv[0] = wget",
                              "argv[2] = b", "cmdline ^ \"curl -e\""})
        EXPECT_FALSE(wants(std::string("read ") + wrong, event)) << wrong;
    EXPECT_TRUE(wants("read\nnot read cmdline ~ zz", event));
    EXPECT_FALSE(wants("read\nnot read cmdline ^ curl", event));
    EXPECT_TRUE(wants("read cmdline = x", event_of("read"))) << "not known";
}

TEST(RulesProgramFields, OfAFailedExecTheArgumentsThatWereAskedFor) {
    using namespace std::string_view_literals;
    Event event = with_arguments("bash\0"sv);
    event.call = &call("execve");
    event.row = ebpf_loader::row_of(call("execve"));
    event.exec_argv.bytes = "nmap\0-sS\0"sv;
    event.exec_argv.status = Status::ok;
    event.ret = -2;
    EXPECT_TRUE(wants("execve cmdline ^ nmap && argv[1] = -sS", event));
    event.ret = 0;
    EXPECT_FALSE(wants("execve cmdline ^ nmap", event));
    EXPECT_TRUE(wants("execve cmdline = bash", event));
}

/// Comparing the whole pattern at each position would take seconds here.
TEST(RulesProgramFields, ALongPatternInALongCommandLine) {
    using namespace std::chrono;
    std::string strings, pattern;
    for (int i = 0; i < 16384; ++i)
        strings += std::string("a") + '\0';
    for (int i = 0; i < 4096; ++i)
        pattern += "a ";
    const Rules blanks = parse("read cmdline ~ \"" + pattern + "b\"");
    const Rules letters = parse("read cmdline ~ " + std::string(8192, 'a') + "b");
    const Event apart = with_arguments(strings);
    const std::string one(32768, 'a');
    const Event together = with_arguments(one);
    const auto begin = steady_clock::now();
    for (int i = 0; i < 50; ++i) {
        EXPECT_FALSE(blanks.matches(apart));
        EXPECT_FALSE(letters.matches(together));
    }
    EXPECT_LT(steady_clock::now() - begin, 1s);
}

TEST(RulesProgramFields, LongCommandLines) {
    std::string strings;
    for (int i = 0; i < 20000; ++i)
        strings += std::string("a") + '\0';
    const Event event = with_arguments(strings);
    EXPECT_FALSE(wants("read cmdline ~ \"a a a a a a a a b\"", event));
    EXPECT_TRUE(wants("read argv[1023] = a && cmdline $ \"a a\"", event));
}

TEST(RulesProgramFields, Files) {
    Event event = event_of("rename");
    for (PathField* path : {&add_path(event, "/a"), &add_path(event, "/b")}) {
        path->has_inode = true;
        path->inode = {1, 2, 0104755, 0, 50};
    }
    event.path[1].inode.uid = 1000;
    EXPECT_TRUE(wants("rename file.uid = 1000", event)) << "one of them";
    EXPECT_FALSE(wants("rename file.uid != 1000", event)) << "all must differ";
    EXPECT_TRUE(wants("rename file.uid != 5", event));
    EXPECT_TRUE(wants("rename file.gid = 50 && file.mode & (S_ISUID|0111)", event));
    EXPECT_FALSE(wants("rename file.mode | S_ISGID", event));
    EXPECT_TRUE(wants("rename file.devmajor = 7", event)) << "the kernel did not tell";
    event.path[0].inode.device = event.path[1].inode.device = 0x800101;
    EXPECT_TRUE(wants("rename file.devmajor = 8 && file.devminor = 257", event));
    EXPECT_FALSE(wants("rename file.devmajor = 7", event));
    event.path[1].has_inode = false;
    EXPECT_TRUE(wants("rename file.uid = 7", event)) << "the other was not seen";
    event.ret = -2;
    EXPECT_FALSE(wants("rename file.uid = 7", event)) << "and there need not be one";
    EXPECT_FALSE(wants("@write file.uid = 7", event));
    EXPECT_TRUE(wants("@write file.uid = 0", event));
}

TEST(RulesProgramFields, ContainerAndParent) {
    LineageNode node;
    node.facts.set_cgroup("/docker/" + std::string(64, 'a'));
    node.parent = std::make_shared<LineageNode>();
    node.parent->program = std::make_shared<ExecutedProgram>(ExecutedProgram{"/usr/sbin/sshd", {}, 0, false});
    const Event event = with([&](Event& e) { e.lineage = &node; });
    EXPECT_TRUE(wants("read container ^ aaaaaaaaaaaa && parent.exe = /usr/sbin/sshd", event));
    EXPECT_TRUE(wants("read container != \"\"", event));
    EXPECT_FALSE(wants("read parent.exe $ cron", event));
    node.facts.set_cgroup("/user.slice");
    EXPECT_TRUE(wants("read container = \"\"", event));
    node.parent->program.reset();
    EXPECT_TRUE(wants("read parent.exe $ cron", event)) << "not known";
    EXPECT_TRUE(wants("read container = x", event_of("read"))) << "nobody follows processes";
    EXPECT_TRUE(parse("read container = x").needs_lineage());
    EXPECT_TRUE(parse("all parent.exe = x").needs_lineage());
    EXPECT_FALSE(parse("read cmdline = x").needs_lineage());
}

} // namespace
