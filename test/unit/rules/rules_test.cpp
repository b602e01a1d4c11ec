// SPDX-License-Identifier: MIT
// What each piece of the rules language means. Mistakes: errors_test.cpp.
#include "test/unit/rules/support.hpp"

namespace {

using namespace rules_test;

// --- lines

TEST(Rules, ALineWithoutClausesSelectsEveryEventOfTheCall) {
    EXPECT_TRUE(wants("read", "read", {}));
    EXPECT_FALSE(wants("read", "write", {}));
    EXPECT_TRUE(parse("read").kernel_decides(ebpf_loader::row_of(call("read"))));
}

TEST(Rules, CallsByNumberAreThoseOf64BitPrograms) {
#ifdef __x86_64__
    EXPECT_TRUE(wants("257", "openat", {}));
    EXPECT_TRUE(wants("0x101", "openat", {}));
    EXPECT_TRUE(wants("0401", "openat", {}));
    EXPECT_TRUE(wants("0x40000208", "execve", {})) << "x32 520";
#else
    EXPECT_TRUE(wants("56", "openat", {}));
    EXPECT_TRUE(wants("0x38", "openat", {}));
    EXPECT_TRUE(wants("070", "openat", {}));
    EXPECT_FALSE(wants("257", "openat", {})) << "x86-64's";
#endif
}

TEST(Rules, NumbersThatTheTableDoesNotKnowGetRowsOfTheirOwn) {
    const Rules rules = parse("1000 a5=3\n1001");
    const auto selection = rules.compile();
    const uint16_t row = selection.numbers().at(1000).row[EBT_ABI_SLOT(EBT_NATIVE_ABI)];
    EXPECT_EQ(selection.plans().size(), 2u);
    EXPECT_NE(selection.numbers().at(1001).row[EBT_ABI_SLOT(EBT_NATIVE_ABI)], row);
#ifdef __x86_64__
    const auto with_x32 = parse("1000\n0x400003e8").compile();
    EXPECT_EQ(with_x32.plans().size(), 2u);
    EXPECT_NE(with_x32.numbers().at(1000).row[EBT_X32], with_x32.numbers().at(1000).row[EBT_X86_64]);
#endif
    Event event = event_of("read");
    event.call = nullptr;
    event.row = row;
    EXPECT_FALSE(rules.matches(event));
    event.args[5] = 3;
    EXPECT_TRUE(rules.matches(event));
}

TEST(Rules, CommentsAndBlankLines) {
    const Rules rules = parse("# read\n\n   \t\nwrite # read\n  # x\n");
    EXPECT_EQ(rules.size(), 1u);
    EXPECT_TRUE(rules.matches(event_of("write")));
    EXPECT_FALSE(rules.matches(event_of("read")));
}

TEST(Rules, AHashInsideAStringIsText) {
    EXPECT_TRUE(wants_path("unlink path = \"/a#b\" # \" comment", "/a#b"));
    EXPECT_FALSE(wants_path("unlink path = \"/a#b\"", "/a"));
    EXPECT_TRUE(wants_path("unlink path = /a#b", "/a"));
}

TEST(Rules, LinesGoOnBehindABackslash) {
    for (const char* text :
         {"kill a1=9 \\\n a1=19", "kill a1=9\\\na1=19", "kill \\  \t\n a1=9 \\\r\n a1=19\r\n",
          "kill a1=\\\n9 a1=19\\", "\\\nkill a1=9 a1=19 \\\n"}) {
        EXPECT_TRUE(wants(text, "kill", {1, 19})) << text;
        EXPECT_FALSE(wants(text, "kill", {1, 15})) << text;
        EXPECT_EQ(parse(text).size(), 1u) << text;
    }
    EXPECT_EQ(parse("read # not continued \\\nwrite").size(), 2u);
    EXPECT_EQ(parse("read\n# \\\nwrite").size(), 2u);
}

TEST(Rules, LineEndsOfAllKinds) {
    EXPECT_EQ(parse("read\r\nwrite\r\n").size(), 2u);
    EXPECT_EQ(parse("read\nwrite").size(), 2u);
    EXPECT_EQ(parse("read\r\nwrite\r").size(), 2u);
    EXPECT_EQ(parse("").size(), 0u);
    EXPECT_EQ(parse("\n").size(), 0u);
    EXPECT_EQ(parse("\xef\xbb\xbfread\n").size(), 1u) << "byte order mark";
}

TEST(Rules, VeryLongLines) {
    std::string text = "unlink";
    for (int i = 0; i < 1000; ++i)
        text += " path = /" + std::string(100, 'x') + std::to_string(i);
    EXPECT_TRUE(wants_path(text, "/" + std::string(100, 'x') + "999"));
    EXPECT_FALSE(wants_path(text, "/" + std::string(100, 'x') + "1000"));
    EXPECT_TRUE(wants_path("unlink path = /" + std::string(1 << 20, 'y'), "/" + std::string(1 << 20, 'y')));
}

TEST(Rules, ClausesOfALineAndSeveralLinesAreORed) {
    for (const char* text :
         {"kill a1=9 a1=19", "kill a1=9\nkill a1=19", "kill a1=19\nkill a0=5 && a1=9\nkill a1=9"}) {
        EXPECT_TRUE(wants(text, "kill", {1, 9})) << text;
        EXPECT_TRUE(wants(text, "kill", {1, 19})) << text;
        EXPECT_FALSE(wants(text, "kill", {1, 15})) << text;
    }
    EXPECT_TRUE(wants("kill a1=9\nkill", "kill", {1, 15})) << "a line without clauses is every event";
}

TEST(Rules, ComparisonsJoinedByAndMustAllHold) {
    const char* rule = "kill a0=1 && a1=9 && uid=7";
    Event event = with(
        [](Event& e) {
            e.args = {1, 9};
            e.uid = 7;
        },
        "kill");
    EXPECT_TRUE(wants(rule, event));
    event.uid = 0;
    EXPECT_FALSE(wants(rule, event));
}

TEST(Rules, SpellingsOfTheProofOfConcept) {
    const auto number = [](std::string_view name) { return std::to_string(native_number(name)); };
    EXPECT_TRUE(wants(number("openat") + " a2|0x3PV", "openat", {0, 0, 2}));
    EXPECT_FALSE(wants(number("openat") + " a2|0x3PV", "openat", {0, 0, 4}));
    EXPECT_TRUE(wants(number("mmap") + " a2&0x6P V", "mmap", {0, 0, 7}));
    EXPECT_FALSE(wants(number("mmap") + " a2&0x6P V", "mmap", {0, 0, 4}));
    EXPECT_TRUE(wants(number("kill") + " a1=9 a1=19PV", "kill", {1, 19}));
    EXPECT_TRUE(wants(number("kill") + "a1=9a1=19VP", "kill", {1, 9}));
    EXPECT_TRUE(wants(number("kill") + " P a1=9 V a1=19", "kill", {1, 19}));
    EXPECT_TRUE(wants(number("close") + "P V", "close", {}));
    EXPECT_TRUE(wants("  " + number("mprotect") + "\ta2 | 0x4 P V", "mprotect", {0, 0, 4}));
    EXPECT_TRUE(wants("kill a1 = 9 a1 = 19 P V", "kill", {1, 19}));
    EXPECT_TRUE(wants("openat a2|0x3", "openat", {0, 0, 1}));
}

// --- numbers

TEST(Rules, NumbersInAllBases) {
    EXPECT_TRUE(wants("lseek a1=255", "lseek", {0, 255}));
    EXPECT_TRUE(wants("lseek a1=0377", "lseek", {0, 255}));
    EXPECT_TRUE(wants("lseek a1=0xff", "lseek", {0, 255}));
    EXPECT_TRUE(wants("lseek a1=0XfF", "lseek", {0, 255}));
    EXPECT_TRUE(wants("lseek a1=0", "lseek", {0, 0}));
    EXPECT_TRUE(wants("lseek a1=18446744073709551615", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1=0xffffffffffffffff", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1=-9223372036854775808", "lseek", {0, uint64_t{1} << 63}));
    EXPECT_TRUE(wants("lseek a1=s-1", "lseek", {0, UINT64_MAX}));
}

TEST(Rules, NumericOperators) {
    struct Case {
        const char* comparison;
        uint64_t holds, fails;
    };
    for (const Case& c :
         {Case{"=5", 5, 4}, Case{"!=5", 4, 5}, Case{"<5", 4, 5}, Case{">5", 6, 5}, Case{"&6", 7, 2},
          Case{"|6", 2, 9}, Case{"=(1|4)", 5, 4}, Case{"& ( 2 | 4 )", 14, 12}}) {
        EXPECT_TRUE(wants("lseek a1" + std::string(c.comparison), "lseek", {0, c.holds})) << c.comparison;
        EXPECT_FALSE(wants("lseek a1" + std::string(c.comparison), "lseek", {0, c.fails})) << c.comparison;
    }
}

TEST(Rules, OrderIsUnsignedUnlessTheRuleAsksForSigned) {
    EXPECT_FALSE(wants("lseek a1 < 1", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1 < s1", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1 > s-2", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1 > -2", "lseek", {0, 5})) << "a negative value compares signed by itself";
    EXPECT_TRUE(wants("lseek a1 < s 0x10", "lseek", {0, UINT64_MAX}));
    EXPECT_TRUE(wants("lseek a1 & s6", "lseek", {0, 6})) << "without effect on bits";
}

TEST(Rules, ArgumentsOf32BitsCompareTheirLowerHalf) {
    const uint64_t junk = 0xdeadbeef00000000;
    EXPECT_TRUE(wants("openat a0 = s-100", "openat", {junk | 0xffffff9c}));
    EXPECT_TRUE(wants("openat a0 = -100", "openat", {0xffffffffffffff9c}));
    EXPECT_TRUE(wants("openat a0 = 4294967196", "openat", {0xffffff9c}));
    EXPECT_TRUE(wants("read a0 < s0", "read", {junk | 0x80000000}));
    EXPECT_FALSE(wants("read a0 < s0", "read", {junk | 0x7fffffff}));
    EXPECT_TRUE(wants("read a0 > 2", "read", {junk | 3}));
    EXPECT_FALSE(wants("read a0 > 2", "read", {junk | 2}));
    EXPECT_FALSE(wants("openat a2 | 4", "openat", {0, 0, junk | 3}));
}

TEST(Rules, ConstantsComeFromTheArgumentsOwnSetFirst) {
    EXPECT_TRUE(wants("openat a2 | O_WRONLY", "openat", {0, 0, 1}));
    EXPECT_TRUE(wants("openat a2 & (O_WRONLY|O_CREAT)", "openat", {0, 0, 0101}));
    EXPECT_FALSE(wants("openat a2 & (O_WRONLY|O_CREAT)", "openat", {0, 0, 0100}));
    EXPECT_TRUE(wants("openat a0 = AT_FDCWD", "openat", {0xffffff9c}));
    EXPECT_TRUE(wants("openat a0 = sAT_FDCWD", "openat", {0xffffff9c}));
    EXPECT_TRUE(wants("kill a1 = SIGKILL", "kill", {1, 9}));
    EXPECT_TRUE(wants("mmap prot & (PROT_WRITE|PROT_EXEC)", "mmap", {0, 0, 6}));
    EXPECT_TRUE(wants("read a2 = O_RDWR", "read", {0, 0, 2})) << "found in another set";
    EXPECT_TRUE(wants("read a2 = (O_RDWR|8)", "read", {0, 0, 10}));
}

TEST(Rules, ArgumentsByName) {
    EXPECT_TRUE(wants("openat flags | O_WRONLY", "openat", {0, 0, 1}));
    EXPECT_TRUE(wants("kill sig=9", "kill", {1, 9}));
    EXPECT_TRUE(wants("kill pid=77", with(
                                         [](Event& e) {
                                             e.pid = 77;
                                             e.args[0] = 1;
                                         },
                                         "kill")))
        << "pid is the process's own, also where an argument has the same name";
}

TEST(Rules, ArgumentsThatI386PassesElsewhereAreFoundByName) {
    // mask stands in a2 and a3 there, dirfd moves to a4
    const auto* form = ebpf_loader::next_form(call("fanotify_mark"));
    ASSERT_NE(form, nullptr);
    Event event = event_of(*form);
    event.args = {3, 1, 2, 0, 9};
    EXPECT_TRUE(wants("fanotify_mark a3 = 9", event));
    EXPECT_TRUE(wants("fanotify_mark dirfd = 9", event));
    EXPECT_FALSE(wants("fanotify_mark dirfd = 8", event));
    EXPECT_TRUE(wants("fanotify_mark mask = 77 && dirfd = 9", event)) << "a halved argument is not compared";
    EXPECT_TRUE(wants("fanotify_mark mask = 77", event));
    EXPECT_TRUE(wants("fanotify_mark\nnot fanotify_mark mask = 77", event)) << "and excludes nothing";
    EXPECT_FALSE(wants("fanotify_mark\nnot fanotify_mark dirfd = 9", event));
    EXPECT_FALSE(wants("fanotify_mark a2 = 77", "fanotify_mark", {0, 0, 2}));
}

// --- the other fields

TEST(Rules, CallerFields) {
    EXPECT_TRUE(wants("read uid=1000", with([](Event& e) { e.uid = 1000; })));
    EXPECT_FALSE(wants("read uid=1000", with([](Event& e) { e.euid = 1000; })));
    EXPECT_TRUE(wants("read euid=0", event_of("read")));
    EXPECT_TRUE(wants("read auid=unset", with([](Event& e) { e.auid = UINT32_MAX; })));
    EXPECT_TRUE(wants("read auid!=unset", with([](Event& e) { e.auid = 1000; })));
    EXPECT_TRUE(wants("read pid=self", with([](Event& e) { e.pid = static_cast<uint32_t>(getpid()); })));
    EXPECT_FALSE(
        wants("read ppid=self", with([](Event& e) { e.ppid = static_cast<uint32_t>(getpid()) + 1; })));
    EXPECT_TRUE(wants("read auid=4294967295", with([](Event& e) { e.auid = UINT32_MAX; })));
    EXPECT_TRUE(wants("read pid>99", with([](Event& e) { e.pid = 100; })));
    EXPECT_FALSE(wants("read pid>99", with([](Event& e) { e.pid = 99; })));
    EXPECT_TRUE(wants("read ppid=1", with([](Event& e) { e.ppid = 1; })));
    EXPECT_TRUE(wants("read uid>s-1", event_of("read")));
}

TEST(Rules, Result) {
    EXPECT_TRUE(wants("read ret = -ENOENT", with([](Event& e) { e.ret = -2; })));
    EXPECT_TRUE(wants("read ret=-2", with([](Event& e) { e.ret = -2; })));
    EXPECT_TRUE(wants("read ret < 0", with([](Event& e) { e.ret = -1; }))) << "ret is signed by itself";
    EXPECT_FALSE(wants("read ret > 0", with([](Event& e) { e.ret = -1; })));
    EXPECT_TRUE(wants("read ret > 4294967295", with([](Event& e) { e.ret = 1LL << 32; })));
}

TEST(Rules, Success) {
    const Event good = with([](Event& e) { e.ret = 3; });
    const Event bad = with([](Event& e) { e.ret = -13; });
    for (const char* rule :
         {"read success=yes", "read success = 1", "read success != no", "read success!=0PV"}) {
        EXPECT_TRUE(wants(rule, good)) << rule;
        EXPECT_FALSE(wants(rule, bad)) << rule;
    }
    EXPECT_TRUE(wants("read success=no", bad));
    EXPECT_TRUE(wants("read success=0", bad));
}

TEST(Rules, TextOperators) {
    EXPECT_TRUE(wants_path("unlink path = /etc/passwd", "/etc/passwd"));
    EXPECT_FALSE(wants_path("unlink path = /etc/passwd", "/etc/passwd2"));
    EXPECT_TRUE(wants_path("unlink path != /etc/passwd", "/etc/shadow"));
    EXPECT_FALSE(wants_path("unlink path != /etc/passwd", "/etc/passwd"));
    EXPECT_TRUE(wants_path("unlink path ^ /etc/", "/etc/shadow"));
    EXPECT_FALSE(wants_path("unlink path ^ /etc/", "/usr/etc/shadow"));
    EXPECT_TRUE(wants_path("unlink path $ .so", "/lib/libc.so"));
    EXPECT_FALSE(wants_path("unlink path$.so", "/lib/libc.so.6"));
    EXPECT_TRUE(wants_path("unlink path ~ lib", "/usr/lib/x"));
    EXPECT_FALSE(wants_path("unlink path~lib", "/usr/bin/x"));
    EXPECT_TRUE(wants_path("unlink path^/etc/&&path$.conf", "/etc/x.conf"));
    EXPECT_FALSE(wants_path("unlink path ~ lib && path ^ /opt", "/usr/lib/x"));
    EXPECT_TRUE(wants_path("unlink path ^ \"\"", ""));
}

TEST(Rules, StringsAndTheirEscapes) {
    EXPECT_TRUE(wants_path(R"(unlink path = "/a b")", "/a b"));
    EXPECT_TRUE(wants_path(R"(unlink path = "a\"b\\c\nd\x41\xfF")", "a\"b\\c\ndA\xff"));
    EXPECT_TRUE(wants_path(R"(unlink path = "a\x00b")", std::string_view("a\0b", 3)));
    EXPECT_TRUE(wants_path("unlink path = /\xc3\xa9", "/\xc3\xa9")) << "UTF-8 needs no quotes";
    EXPECT_TRUE(wants_path("unlink path = /\xff\xfe", "/\xff\xfe")) << "nor do other bytes";
    EXPECT_TRUE(wants_path("unlink path=\"/x\"PV", "/x"));
    EXPECT_TRUE(wants_path("unlink path = ~user", "~user"));
    EXPECT_TRUE(wants_path("unlink path = /a_b.c/d-e+f@g:h,i%j~[k]{l}", "/a_b.c/d-e+f@g:h,i%j~[k]{l}"));
    EXPECT_TRUE(wants_path("unlink path = \"/a*b?\"", "/a*b?"));
}

TEST(Rules, ExecutableAndName) {
    Event event = event_of("read");
    event.comm = "sshd";
    event.image.exe.bytes = "/usr/sbin/sshd";
    EXPECT_TRUE(wants("read comm = sshd", event)) << "not a signed hd";
    EXPECT_TRUE(wants("read comm ^ ss && exe ^ /usr/sbin/", event));
    EXPECT_FALSE(wants("read comm != sshd", event));
    EXPECT_FALSE(wants("read exe $ /cron", event));
    EXPECT_TRUE(wants("read exe != /usr/sbin/cron", event));
}

TEST(Rules, PathIsAnyPathOfTheEvent) {
    Event event = event_of("rename");
    add_path(event, "/tmp/new");
    add_path(event, "/etc/passwd");
    EXPECT_TRUE(wants("rename path = /tmp/new", event));
    EXPECT_TRUE(wants("rename path ^ /etc/", event));
    EXPECT_TRUE(wants("rename path ^ /tmp/ && path ^ /etc/", event)) << "each may be another one";
    EXPECT_FALSE(wants("rename path != /tmp/new", event)) << "for != all must differ";
    EXPECT_TRUE(wants("rename path != /tmp/old", event));
    EXPECT_FALSE(wants("rename path = /tmp/old", event));
}

// --- macros

TEST(Rules, MacrosStandForTheirClauses) {
    const std::string text = "let system = path ^ /etc/ path ^ /usr/\nlet keys = path $ /authorized_keys\n"
                             "let watched = $system $keys\nunlink $watched\n";
    EXPECT_EQ(parse(text).size(), 1u);
    EXPECT_TRUE(wants_path(text, "/etc/x"));
    EXPECT_TRUE(wants_path(text, "/usr/x"));
    EXPECT_TRUE(wants_path(text, "/home/u/.ssh/authorized_keys"));
    EXPECT_FALSE(wants_path(text, "/home/u/x"));
}

TEST(Rules, MacrosAreDistributedOverAnd) {
    const std::string text = "let system = path ^ /etc/ path ^ /usr/\nlet by = uid = 1 uid = 2\n"
                             "unlink $system && $by && ret = 0 uid=9P\n";
    const auto wanted = [&](std::string_view path, uint32_t uid, int64_t ret) {
        Event event = with(
            [&](Event& e) {
                e.uid = uid;
                e.ret = ret;
            },
            "unlink");
        add_path(event, path);
        return wants(text, event);
    };
    EXPECT_TRUE(wanted("/etc/x", 1, 0));
    EXPECT_TRUE(wanted("/usr/x", 2, 0));
    EXPECT_FALSE(wanted("/usr/x", 3, 0));
    EXPECT_FALSE(wanted("/tmp/x", 1, 0));
    EXPECT_FALSE(wanted("/etc/x", 1, -1));
    EXPECT_TRUE(wanted("/tmp/x", 9, -1));
}

TEST(Rules, MacrosMeanWhatTheCallMeans) {
    const std::string text =
        "let writes = flags | (O_WRONLY|O_RDWR)\nopen $writes\nopenat$writes\nnot openat $writes && uid=5";
    EXPECT_TRUE(wants(text, "open", {0, 1}));
    EXPECT_TRUE(wants(text, "openat", {0, 0, 1}));
    EXPECT_FALSE(wants(text, "openat", {0, 1, 0}));
    EXPECT_FALSE(wants(text, with(
                                 [](Event& e) {
                                     e.args[2] = 1;
                                     e.uid = 5;
                                 },
                                 "openat")));
}

TEST(Rules, ADollarBehindAFieldIsAnOperator) {
    const std::string text = "let x = uid = 77\nunlink path $x $x";
    EXPECT_TRUE(wants_path(text, "/x")) << "path ends in x";
    EXPECT_FALSE(wants_path(text, "/y"));
    Event event = event_of("unlink");
    event.uid = 77;
    EXPECT_TRUE(wants(text, event));
}

} // namespace
