// SPDX-License-Identifier: MIT
// What --explain prints.
#include "test/unit/rules/errors_support.hpp"

namespace {

using namespace rules_test;

std::string explained(const std::string& text) {
    return Rules::explain({{"x.rules", text}});
}

TEST(RulesExplain, WhereEachComparisonIsDecided) {
    EXPECT_EQ(
        explained("# comment\n"
                  "  openat flags | O_WRONLY && path ^ /etc/ uid = 0\n"
                  "not openat exe = /x && uid=5\n"
                  "kill sig = SIGKILL\n"
                  "chdir comm = sh\n"
                  "execve\n"
                  "fchmod file.uid = 0\n"
                  "close fd = 3 && exe = /x\n"),
        "x.rules:2: openat flags | O_WRONLY && path ^ /etc/ uid = 0\n"
        "    openat: in the kernel flags | O_WRONLY, uid = 0; in the program path ^ /etc/\n"
        "x.rules:3: not openat exe = /x && uid=5\n"
        "    openat: in the program uid=5, exe = /x\n"
        "x.rules:4: kill sig = SIGKILL\n"
        "    kill: in the kernel sig = SIGKILL\n"
        "x.rules:5: chdir comm = sh\n"
        "    chdir: in the program comm = sh\n"
        "x.rules:6: execve\n"
        "    execve: every one\n"
        "x.rules:7: fchmod file.uid = 0\n"
        "    fchmod: in the program file.uid = 0\n"
        "x.rules:8: close fd = 3 && exe = /x\n"
        "    close: in the kernel fd = 3; in the program exe = /x\n"
        "\n"
        "Of the calls (how many of 32 comparisons the kernel does) and process events:\n"
        "  the kernel alone decides: what is not wanted costs its caller 0.2 to 0.5 us:\n"
        "    kill(1)\n"
        "  the kernel drops what its comparisons exclude, for 0.2 to 0.5 us, and once it is captured what "
        "can have no path that is wanted, for 1 to 3 us; the rest comes to the program, which decides, for "
        "0.2 us:\n"
        "    openat(2)\n"
        "  the kernel drops what its comparisons exclude, for 0.2 to 0.5 us; what passes is captured, "
        "for 1 to 3 us, and comes to the program, which decides, for 0.2 us:\n"
        "    close(1)\n"
        "  every one is captured, for 1 to 3 us, and comes to the program, which decides, for 0.2 us:\n"
        "    chdir fchmod\n"
        "  every one is wanted: captured, for 1 to 3 us, and written, for 0.5 us:\n"
        "    execve\n");
}

TEST(RulesExplain, Auditctl) {
    EXPECT_EQ(
        explained("-a always,exit -F arch=b64 -S unlinkat -F auid>=1000 -F path=/ebt-not-there -k x\n"),
        "x.rules:1: -a always,exit -F arch=b64 -S unlinkat -F auid>=1000 -F path=/ebt-not-there -k x\n"
        "    unlinkat: in the kernel auid>=1000; in the program arch, path=/ebt-not-there\n"
        "\n"
        "Of the calls (how many of 32 comparisons the kernel does) and process events:\n"
        "  the kernel drops what its comparisons exclude, for 0.2 to 0.5 us, and once it is captured what "
        "can have no path that is wanted, for 1 to 3 us; the rest comes to the program, which decides, for "
        "0.2 us:\n"
        "    unlinkat(1)\n");
}

TEST(RulesExplain, HostileFiles) {
    EXPECT_EQ(explained("read comm = \"\x1b[31m\"").find('\x1b'), std::string::npos);
    EXPECT_EQ(explained(""), "");
    EXPECT_THROW(explained("nosuchcall"), RuleError);
    EXPECT_NE(explained("let m = path ^ /tmp/ && uid = 0\nunlink $m")
                  .find("in the kernel uid = 0; in the program path ^ /tmp/"),
              std::string::npos);
    EXPECT_NE(explained(std::string(Rules::built_in())), "");
}

} // namespace
