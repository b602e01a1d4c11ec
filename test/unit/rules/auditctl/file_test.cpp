// SPDX-License-Identifier: MIT
// Files of auditctl's rules: their order, their control lines, what is declared, and what is a mistake.
#include <algorithm>
#include <random>

#include "test/unit/rules/errors_support.hpp"

namespace {

using namespace rules_test;

/// "LINE MESSAGE" of each.
std::vector<std::string> declared(const std::string& text) {
    std::vector<std::string> result;
    const Rules rules = parse(text);
    for (const std::string& warning : rules.warnings()) {
        const std::string first = warning.substr(0, warning.find('\n'));
        const size_t mark = first.find(": warning: ");
        const size_t colon = first.find(':') + 1;
        result.push_back(first.substr(colon, first.find(':', colon) - colon) + ' ' + first.substr(mark + 11));
    }
    return result;
}

using Texts = std::vector<std::string>;

std::string_view key_of(const std::string& text, const Event& event) {
    static std::string key;
    key = parse(text).key(event);
    return key;
}

TEST(AuditctlFile, TheFirstRuleThatFitsDecides) {
    const std::string never = "-a never,exit -S read -F uid=5\n", always = "-a always,exit -S read -k k\n";
    const Event five = with([](Event& e) { e.uid = 5; });
    EXPECT_FALSE(wants(never + always, five));
    EXPECT_TRUE(wants(always + never, five));
    EXPECT_TRUE(wants(never + always, event_of("read")));
    EXPECT_TRUE(wants("-a always,exit -S read -F euid=0\n" + never + always, five));
    EXPECT_FALSE(wants("-a always,exit -S read -F euid=1\n" + never + always, five));
    EXPECT_FALSE(wants("-a always,exit -S read -F euid=1\n" + never + "-a never,exit -S read\n" + always,
                       event_of("read")));
}

/// Rules that come first and say never are the kernel's, those behind others the program's.
TEST(AuditctlFile, WhatIsDecidedInTheKernel) {
    const uint16_t row = ebpf_loader::row_of(call("read"));
    const Rules first = parse("-a never,exit -S read -F uid=5\n-a always,exit -S read -F a0=3");
    EXPECT_TRUE(first.kernel_decides(row));
    EXPECT_EQ(first.compile().plans().at(row).predicates, 2);
    const Rules later = parse(
        "-a always,exit -S read -F a0=3\n-a never,exit -S read -F uid=5\n-a always,exit -S read -F a0=4");
    EXPECT_FALSE(later.kernel_decides(row));
    EXPECT_EQ(later.compile().plans().at(row).predicates, 2);
    for (const uint64_t descriptor : {3, 4, 5}) {
        Event event = event_of("read");
        event.args[0] = descriptor;
        event.uid = 5;
        EXPECT_EQ(wants("-a always,exit -S read -F a0=3\n-a never,exit -S read -F uid=5\n"
                        "-a always,exit -S read -F a0=4",
                        event),
                  descriptor == 3);
    }
    EXPECT_FALSE(parse("-a always,exit -S read -F a0=3\n-a never,exit -S read\n-a always,exit -S read")
                     .compile()
                     .plans()
                     .at(row)
                     .flags &
                 EBT_INCLUDE_ALL)
        << "nothing comes behind a rule that fits all";
}

TEST(AuditctlFile, WhatIsNotKnownIsNotHidden) {
    Event event = event_of("openat");
    add_path(event, "", Status::fault);
    EXPECT_TRUE(wants("-a never,exit -S openat -F dir=/tmp\n-a always,exit -S openat", event));
    event.path[0].bytes = "/tmp/x";
    event.path[0].status = Status::ok;
    EXPECT_FALSE(wants("-a never,exit -S openat -F dir=/tmp\n-a always,exit -S openat", event));
}

TEST(AuditctlFile, TheKeyIsThatOfTheFirstRuleThatFits) {
    const std::string rules = "-a always,exit -S read -F uid=5\n-a always,exit -S read -k second\n";
    EXPECT_EQ(key_of(rules, with([](Event& e) { e.uid = 5; })), "") << "it has none";
    EXPECT_EQ(key_of(rules, event_of("read")), "second");
    EXPECT_EQ(key_of("-a always,exit -S read -F key=a,b", event_of("read")), "a,b");
    EXPECT_EQ(
        key_of("-A always,exit -S read -k later\n-A always,exit -S read -k prepended", event_of("read")),
        "prepended");
}

/// A rule as a model has it: what it wants of an event, and what then.
struct Modelled {
    bool never = false;
    int a0 = -1, uid = -1; ///< -1: whatever it is
    std::string exe, key;

    bool fits(const Event& event) const {
        return (a0 < 0 || event.args[0] == static_cast<uint64_t>(a0)) &&
               (uid < 0 || event.uid == static_cast<uint32_t>(uid)) &&
               (exe.empty() || event.image.exe.bytes == exe);
    }
    std::string line() const {
        std::string text = never ? "-a never,exit -S read" : "-a always,exit -S read";
        text += a0 < 0 ? "" : " -F a0=" + std::to_string(a0);
        text += uid < 0 ? "" : " -F uid=" + std::to_string(uid);
        return text + (exe.empty() ? "" : " -F exe=" + exe) + (key.empty() ? "" : " -k " + key) + "\n";
    }
};

TEST(AuditctlFile, DecidesAsAModelDoes) {
    std::mt19937 random(1);
    const auto below = [&](unsigned bound) { return static_cast<int>(random() % bound); };
    for (int round = 0; round < 300; ++round) {
        std::vector<Modelled> model(static_cast<size_t>(1 + below(7)));
        std::string text;
        for (Modelled& rule : model) {
            rule.never = below(2);
            rule.a0 = below(4) - 1;
            rule.uid = below(2) ? below(3) : -1;
            rule.exe = below(3) ? "" : below(2) ? "/usr/bin/dash" : "/ebt-not-there";
            rule.key = rule.never || below(2) ? "" : "k" + std::to_string(below(3));
            text += rule.line();
        }
        for (int i = 0; i < 12; ++i) {
            Event event = event_of("read");
            event.args[0] = static_cast<uint64_t>(i % 4);
            event.uid = static_cast<uint32_t>(i / 4);
            const auto first = std::find_if(model.begin(), model.end(),
                                            [&](const Modelled& rule) { return rule.fits(event); });
            const bool wanted = first != model.end() && !first->never;
            ASSERT_EQ(wants(text, event), wanted) << text << event.args[0] << ' ' << event.uid;
            if (wanted) {
                ASSERT_EQ(key_of(text, event), first->key) << text;
            }
        }
    }
}

TEST(AuditctlFile, PrependsRules) {
    const Event five = with([](Event& e) { e.uid = 5; });
    EXPECT_FALSE(wants("-a always,exit -S read\n-A never,exit -S read -F uid=5", five));
    EXPECT_TRUE(wants("-A never,exit -S read -F uid=5\n-A always,exit -S read", five));
}

TEST(AuditctlFile, ExcludesWhateverTheOrder) {
    const Event five = with([](Event& e) { e.uid = 5; });
    EXPECT_FALSE(wants("-a always,exit -S read\n-a always,exclude -F uid=5", five));
    EXPECT_FALSE(wants("-a always,exit -S read\n-a exclude,never -F exe=/usr/bin/dash", event_of("read")));
    EXPECT_FALSE(wants("-a always,exit -S read\n-a task,never", event_of("read")));
    EXPECT_FALSE(wants("-a task,never -F uid=5\n-a always,exit -S read", five));
    EXPECT_TRUE(wants("-a task,never -F uid=5\n-a always,exit -S read", event_of("read")));
}

TEST(AuditctlFile, DeletesRules) {
    const std::string rules = "-a always,exit -S read -k a\n-a always,exit -S write -k b\n";
    EXPECT_FALSE(wants(rules + "-D -k a", event_of("read")));
    EXPECT_TRUE(wants(rules + "-D -k a", event_of("write")));
    EXPECT_FALSE(wants(rules + "-D\n-a always,exit -S open", event_of("write")));
    EXPECT_EQ(declared(rules + "-D\n-a always,exit -S open"), Texts{"3 deletes 2 rules of the lines above"});
    EXPECT_EQ(declared("-D\n" + rules), Texts{});
}

TEST(AuditctlFile, ControlLinesAreWithoutMeaningHere) {
    const std::string controls = "## comment\n\n-D\n-b 8192\n-f 1\n-e 2\n-r 100\n--backlog_wait_time 60000\n"
                                 "--backlog_wait_time=5\n--loginuid-immutable\n-i\n-c\n--reset-lost\n-s -l\n";
    const Rules rules = parse(controls + "-a always,exit -S read\r\n");
    EXPECT_TRUE(rules.matches(event_of("read")));
    EXPECT_EQ(rules.warnings().size(), 0u);
    ASSERT_EQ(rules.notes().size(), 10u);
    EXPECT_EQ(
        lines(rules.notes()[0]),
        (Texts{
            "test.rules:4:1: note: \"-b\" is without meaning here: --buffer-size sets how much is buffered",
            "-b 8192", "^~"}));
    EXPECT_EQ(rules.size(), 1u);
}

TEST(AuditctlFile, WhatIsNotHonouredIsDeclared) {
    const std::string one = "-a always,exit -S read\n";
    const auto of = [&](const std::string& line) { return declared(one + line); };
    EXPECT_EQ(of("-a never,exit -F subj_type=crond_t"),
              Texts{"2 left out: subj_type is not compared: events have no labels of SELinux"});
    EXPECT_EQ(of("-a never,user -F subj_type=crond_t"),
              Texts{"2 left out: subj_type is not compared: events have no labels of SELinux"});
    EXPECT_EQ(of("-a never,user -F uid=0"),
              Texts{"2 without meaning: messages of programs to auditd are no events"});
    EXPECT_EQ(of("-a always,exclude -F msgtype=CRYPTO_KEY_USER"),
              Texts{"2 left out: msgtype is not compared: there are events here and no types of messages"});
    EXPECT_EQ(of("-a never,filesystem -F fstype=tracefs"),
              Texts{"2 left out: fstype is not compared: events have no type of a file system"});
#ifdef __x86_64__
    const std::string other = "aarch64";
#else
    const std::string other = "x86_64";
#endif
    EXPECT_EQ(of("-a always,exit -F arch=" + other + " -S read"),
              Texts{"2 left out: the architecture is not this machine's"});
    EXPECT_EQ(of("-a always,exit -S kill -F path=/x"),
              Texts{"2 left out: no call that it is for has what it compares"});
    EXPECT_EQ(of("-a always,exit -S kill -F perm=w"),
              Texts{"2 left out: no call that it is for has what it compares"});
    EXPECT_EQ(of("-w /x -k a -k b"), Texts{"2 of its keys, events have the first alone"});
    EXPECT_EQ(of("-a always,io_uring -S openat"),
              Texts{"2 the calls of these names are selected too, not only io_uring's operations"});
    EXPECT_EQ(of("-a task,never -F uid=9"),
              Texts{"2 when the call is made, not when the process begins, its ids are compared"});
}

TEST(AuditctlFile, AMistakeIsLeftOutWhereTheFileSaysSo) {
    EXPECT_EQ(error("-a always,exit -S nosuchcall"), "1:19 unknown system call \"nosuchcall\"");
    const Texts left_out = {"2 left out: unknown system call \"nosuchcall\"",
                            "4 left out: there is no user \"nosuchuser1\" in /etc/passwd",
                            "5 left out: \"T1078\" belongs to no option"};
    for (const char* ignore : {"-i", "-c"})
        EXPECT_EQ(declared(std::string(ignore) + "\n-a always,exit -S nosuchcall\n-a always,exit -S read\n" +
                           "-a never,exit -S read -F uid=nosuchuser1\n-w /x -k -F T1078"),
                  left_out);
}

TEST(AuditctlFile, Mistakes) {
    EXPECT_EQ(error("-a always,exit -S adjtimex -F uid=nosuchuser1"),
              "1:31 there is no user \"nosuchuser1\" in /etc/passwd");
    EXPECT_EQ(error("-a always,exit -S read -F nosuch=1"), "1:27 unknown field \"nosuch\"");
    EXPECT_EQ(error("-a always,exit -S read -F uid"), "1:27 \"uid\" is no comparison");
    EXPECT_EQ(error("-a always,exit -S read -F uid="), "1:27 \"uid=\" is no comparison");
    EXPECT_EQ(error("-a always,exit -S read -F a0=x"), "1:27 \"x\" is no number that the field can have");
    EXPECT_EQ(error("-a always,exit -S read -F a0=4294967296"),
              "1:27 \"4294967296\" is no number that the field can have");
    EXPECT_EQ(error("-a always,exit -S read -F success>1"), "1:27 the field can only be equal or not");
    EXPECT_EQ(error("-a always,exit -F perm=q"), "1:19 unknown permission \"q\"");
    EXPECT_EQ(error("-a always,exit -F path!=/x"), "1:19 path is only compared by =");
    EXPECT_EQ(error("-w x"), "1:4 the path does not begin with /");
    EXPECT_EQ(error("-w"), "1:1 the option \"-w\" has no argument");
    EXPECT_EQ(error("-a always"), "1:4 \"always\" has no action");
    EXPECT_EQ(error("-a always,nosuch"), "1:4 unknown list \"nosuch\"");
    EXPECT_EQ(error("-C uid=euid"), "1:1 \"-C\" stands without a rule");
    EXPECT_EQ(error("-a always,exit -S read -C uid=gid"),
              "1:27 these fields are not compared with each other");
    EXPECT_EQ(error("-a always,exit -S read -b 5"), "1:24 \"-b\" is no part of a rule");
    EXPECT_EQ(error("-a never,user -S read"), "1:18 calls are selected on the list exit alone");
    EXPECT_EQ(error("-1"), "1:1 unknown option \"-1\"");
    EXPECT_EQ(error("-Z"), "1:1 unknown option \"-Z\"");
    EXPECT_EQ(error("--nosuch"), "1:1 unknown option \"--nosuch\"");
    EXPECT_EQ(error("-a always,exit -F arch=b64 -S stime"), "1:31 \"stime\" is no call of 64-bit programs");
    EXPECT_EQ(expected("-a always,exit -F arch=b64 -S mmap2"),
              "a call that --list-syscalls names, or a number; did you mean \"mmap\"?");
    EXPECT_EQ(error("-a always,exit -S 5000"), "1:19 \"5000\" is no number of a system call");
    EXPECT_EQ(error("-w /x -k \x01"), "1:10 this cannot be a key");
    EXPECT_EQ(error("-a always,exit -F path=/x -F dir=/y"), "1:30 the rule has a path already");
    EXPECT_EQ(error("-a always,exit -F exe=/x -F exe=/y"), "1:29 the rule has an executable already");
    EXPECT_EQ(error("-a always,exit -S open -F filetype=x"), "1:27 unknown type of files \"x\"");
}

TEST(AuditctlFile, OneLanguageAFile) {
    EXPECT_EQ(error("# both\n-w /x\nexecve"),
              "3:1 a line that is no rule of auditctl's, which the lines before it are");
    EXPECT_EQ(error("execve\n  -w /x"),
              "2:3 a rule of auditctl's behind lines of this program's own language");
    EXPECT_EQ(
        expected("execve\n-w /x"),
        "one of the two languages: put the lines of the other into a file, or a directory, of their own");
    EXPECT_TRUE(wants("openat a0 = \\\n-100", "openat", {0xffffff9c})) << "one line";
}

} // namespace
