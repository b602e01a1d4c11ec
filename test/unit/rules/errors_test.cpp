// SPDX-License-Identifier: MIT
// Every mistake in a rules file: where it is shown, what is said, what is expected.
#include "test/unit/rules/errors_support.hpp"

#include <algorithm>

namespace {

using namespace rules_test;

/// The fields of every event that the program compares, after those that the kernel does.
#define LATER                                                                                                \
    "gid, egid, sgid, fsgid, suid, fsuid, ses, arch, cwd, tty, cmdline, argv[n], container, parent.exe, "    \
    "ancestor.exe"

TEST(RulesErrors, Shape) {
    EXPECT_EQ(
        errors("read\n\topenat  pth ^ /etc/ # what\r\nwrite"),
        "x.rules:2:10: error: unknown field \"pth\"\n"
        "\topenat  pth ^ /etc/ # what\n"
        "\t        ^~~\n"
        "expected: a0 (dirfd), a1 (pathname), a2 (flags), a3 (mode), path, exe, comm, uid, euid, auid, pid, "
        "ppid, ret, success, " LATER ", file.uid, file.gid, file.mode, file.type, file.inode, file.devmajor, "
        "file.devminor, or $MACRO; did you mean \"path\"?\n");
}

TEST(RulesErrors, OneForEachWrongStatement) {
    EXPECT_EQ(errors("opnat a9=\nread\nread a0 a1=\n"),
              "x.rules:1:1: error: unknown system call \"opnat\"\n"
              "opnat a9=\n"
              "^~~~~\n"
              "expected: the name or number of a system call, all, process_fork, process_exec, process_exit, "
              "a group such as @write, not, let, env or exec_search; did you mean \"openat\"?\n"
              "x.rules:3:9: error: the comparison has no operator\n"
              "read a0 a1=\n"
              "        ^~\n"
              "expected: an operator for a number: = != < > <= >= & | !| in\n");
}

TEST(RulesErrors, SoManyAreShownAndTheRestCounted) {
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += "nonsense\n";
    const auto shown = lines(errors(text));
    EXPECT_EQ(std::count(shown.begin(), shown.end(), "nonsense"), 50);
    EXPECT_EQ(shown.back(), "and 10 more mistakes");
}

TEST(RulesErrors, WhatALineIsFor) {
    EXPECT_EQ(error("opnat"), "1:1 unknown system call \"opnat\"");
    EXPECT_EQ(error("  READ"), "1:3 unknown system call \"READ\"");
    EXPECT_EQ(error("= 3"), "1:1 a line has to begin with the system call that it is for");
    EXPECT_EQ(error("$x"), "1:1 a line has to begin with the system call that it is for");
    EXPECT_EQ(error("not"), "1:4 a line has to begin with the system call that it is for");
    EXPECT_EQ(error("not # read"), "1:4 a line has to begin with the system call that it is for");
    EXPECT_EQ(error("not not read"), "1:5 unknown system call \"not\"");
    EXPECT_EQ(error("1024"), "1:1 system call number 1024 is out of range");
    EXPECT_EQ(error("0x80000001 a0=1"), "1:1 system call number 0x80000001 is out of range");
    EXPECT_EQ(error("=1"), "1:1 a line has to begin with the system call that it is for");
#ifdef __x86_64__
    EXPECT_EQ(expected("1024"), "a number from 0 to 1023, for x32 with bit 30 set");
    EXPECT_EQ(error("0x40000400"), "1:1 system call number 0x40000400 is out of range");
#else
    EXPECT_EQ(expected("1024"), "a number from 0 to 1023");
    EXPECT_EQ(error("0x40000001"), "1:1 system call number 0x40000001 is out of range");
#endif
    EXPECT_EQ(error("099"), "1:2 a number with a leading 0 is octal");
}

TEST(RulesErrors, Suggestions) {
    const auto suggested = [](const std::string& text) {
        const std::string what = expected(text);
        const size_t at = what.find("; did you mean ");
        return at == std::string::npos ? std::string() : what.substr(at + 15);
    };
    EXPECT_EQ(suggested("opnat"), "\"openat\"?");
    EXPECT_EQ(suggested("OPENAT"), "\"openat\"?");
    EXPECT_EQ(suggested("proces_exec"), "\"process_exec\"?");
    EXPECT_EQ(suggested("al"), "\"all\"?");
    EXPECT_EQ(suggested("raed"), "\"read\"?");
    EXPECT_EQ(suggested("zzzzzzzzzz"), "");
    EXPECT_EQ(suggested("read cmm=x"), "\"comm\"?");
    EXPECT_EQ(suggested("openat flag|1"), "\"flags\"?");
    EXPECT_EQ(suggested("openat flags|O_WRONYL"), "\"O_WRONLY\"?");
    EXPECT_EQ(suggested("let abc = uid=1\nread $abd"), "\"abc\"?");
}

TEST(RulesErrors, Fields) {
    EXPECT_EQ(error("read x=1"), "1:6 unknown field \"x\"");
    EXPECT_EQ(error("read a6=1"), "1:6 unknown field \"a6\"");
    EXPECT_EQ(error("read a5=1"), "1:6 read has no argument a5");
    EXPECT_EQ(expected("read a5=1"), "one of its arguments: a0 (fd), a1 (buf), a2 (count)");
    EXPECT_EQ(error("read flags=1"), "1:6 read has no argument flags");
    EXPECT_EQ(error("getpid a0=1"), "1:8 getpid has no argument a0");
    EXPECT_EQ(expected("getpid a0=1"), "one of exe, comm, uid, euid, auid, pid, ppid, ret, success, " LATER);
    EXPECT_EQ(error("getpid path=/x"), "1:8 getpid names no path");
    EXPECT_EQ(error("1000 path=/x"), "1:6 system call 1000 names no path");
    EXPECT_EQ(error("1000 fd=1"), "1:6 system call 1000 has no argument fd");
    EXPECT_EQ(expected("1000 fd=1"), "one of its arguments: a0, a1, a2, a3, a4, a5");
    EXPECT_EQ(error("exit ret=0"), "1:6 exit never returns: it has no ret");
    EXPECT_EQ(error("exit success=yes"), "1:6 exit never returns: it has no success");
    EXPECT_EQ(expected("exit ret=0"), "one of exe, comm, uid, euid, auid, pid, ppid, " LATER);
    EXPECT_EQ(error("process_exec a0=1"), "1:14 process_exec is not a system call: it has no arguments");
    EXPECT_EQ(error("process_exec fd=1"), "1:14 process_exec is not a system call: it has no arguments");
    EXPECT_EQ(error("process_exec path=/x"), "1:14 process_exec names no path");
}

TEST(RulesErrors, Operators) {
    EXPECT_EQ(error("read a0"), "1:8 the comparison has no operator");
    EXPECT_EQ(error("read a0 9"), "1:9 the comparison has no operator");
    EXPECT_EQ(error("read a0 # = 9"), "1:8 the comparison has no operator");
    EXPECT_EQ(error("read a0 == 9"), "1:9 there is no operator \"==\"");
    EXPECT_EQ(error("read a0=<9"), "1:8 there is no operator \"=<\"");
    EXPECT_EQ(error("read comm <= x"), "1:11 operator <= does not compare text");
    EXPECT_EQ(error("read success in {yes}"), "1:14 operator in does not compare yes or no");
    EXPECT_EQ(error("read a0 inn {9}"), "1:9 the comparison has no operator");
    EXPECT_EQ(error("read comm =~ x"), "1:11 there is no operator \"=~\"");
    EXPECT_EQ(error("read a0 && a1=1"), "1:9 there is no operator \"&&\"");
    EXPECT_EQ(expected("read a0 && a1=1"),
              "an operator for a number: = != < > <= >= & | !| in; && joins whole comparisons");
    EXPECT_EQ(error("read a0 ^ 9"), "1:9 operator ^ does not compare a number");
    EXPECT_EQ(error("read a0$9"), "1:8 operator $ does not compare a number");
    EXPECT_EQ(error("read uid ~ 9"), "1:10 operator ~ does not compare a number");
    EXPECT_EQ(expected("read uid ~ 9"), "an operator for a number: = != < > <= >= & | !| in");
    EXPECT_EQ(error("read comm & x"), "1:11 operator & does not compare text");
    EXPECT_EQ(error("read path<x"), "1:10 operator < does not compare text");
    EXPECT_EQ(expected("read path|x"), "an operator for text: = != in ^ $ ~");
    EXPECT_EQ(error("read success > 0"), "1:14 operator > does not compare yes or no");
    EXPECT_EQ(expected("read success & 1"), "an operator for yes or no: = !=");
}

TEST(RulesErrors, Numbers) {
    EXPECT_EQ(error("read a0="), "1:9 a number is missing");
    EXPECT_EQ(error("read a0=   # 5"), "1:9 a number is missing");
    EXPECT_EQ(error("read a0=\"5\""), "1:9 a number is missing");
    EXPECT_EQ(error("read a0=s"), "1:10 a number is missing");
    EXPECT_EQ(error("read a0=-"), "1:10 a number is missing");
    EXPECT_EQ(error("read a0=--5"), "1:10 a number is missing");
    EXPECT_EQ(error("read a0=0xPV"), "1:9 no digits after 0x");
    EXPECT_EQ(error("read a0=0778"), "1:12 a number with a leading 0 is octal");
    EXPECT_EQ(error("read a1=18446744073709551616"), "1:9 the number does not fit in 64 bits");
    EXPECT_EQ(error("read a1=0x10000000000000000"), "1:9 the number does not fit in 64 bits");
    EXPECT_EQ(error("read a1=-9223372036854775809"), "1:9 the number is too small for 64 bits");
    EXPECT_EQ(error("read a0=4294967296"), "1:9 the value does not fit in the 32 bits of a0");
    EXPECT_EQ(error("read a0 = s-2147483649"), "1:11 the value does not fit in the 32 bits of a0");
    EXPECT_EQ(error("read uid=0x100000000"), "1:10 the value does not fit in the 32 bits of uid");
    EXPECT_EQ(expected("read a0=4294967296"), "a value from -2147483648 to 4294967295");
    EXPECT_EQ(error("read a0=9k"), "1:10 unknown field \"k\"");
    EXPECT_EQ(error("read a0=1|2"), "1:10 a stray \"|\"");
    EXPECT_EQ(error("read a0=1+2"), "1:10 a comparison cannot begin with \"+\"");
}

TEST(RulesErrors, Constants) {
    EXPECT_EQ(error("openat flags|O_NONSENSE"), "1:14 unknown constant \"O_NONSENSE\"");
    EXPECT_EQ(error("openat flags|O_RDWRPV"), "1:14 unknown constant \"O_RDWRPV\"");
    EXPECT_EQ(error("openat flags | (O_WRONLY | nonsense)"), "1:28 unknown constant \"nonsense\"");
    EXPECT_EQ(error("openat flags | (O_WRONLY"), "1:25 the parenthesis is not closed");
    EXPECT_EQ(error("openat flags | (1+2)"), "1:18 the parenthesis is not closed");
    EXPECT_EQ(error("openat flags | ()"), "1:17 a number is missing");
    EXPECT_EQ(error("read pid=root"), "1:10 pid is compared with a number, not \"root\"");
    EXPECT_EQ(error("read uid=none"), "1:10 there is no user \"none\" in /etc/passwd");
    EXPECT_EQ(expected("read uid=unset"), "a number, the name of a user, or another field of that kind");
    EXPECT_EQ(expected("read file.gid=none"), "a number, the name of a group, or another field of that kind");
    EXPECT_EQ(error("read auid=none"), "1:11 there is no user \"none\" in /etc/passwd");
    EXPECT_EQ(expected("read auid=none"),
              "a number, the name of a user, unset, or another field of that kind");
    EXPECT_EQ(error("read ses=none"), "1:10 ses is compared with a number, not \"none\"");
    EXPECT_EQ(expected("read ses=none"), "a number, or unset");
}

TEST(RulesErrors, Success) {
    EXPECT_EQ(error("read success="), "1:14 success is either yes or no");
    EXPECT_EQ(error("read success=maybe"), "1:14 success is either yes or no");
    EXPECT_EQ(error("read success = 2"), "1:16 success is either yes or no");
    EXPECT_EQ(error("read success=yesPV"), "1:14 success is either yes or no");
    EXPECT_EQ(expected("read success=2"), "yes, no, 1 or 0");
}

TEST(RulesErrors, Text) {
    EXPECT_EQ(error("read comm="), "1:11 text to compare with is missing");
    EXPECT_EQ(error("read comm= && uid=1"), "1:12 text to compare with is missing");
    EXPECT_EQ(error("read comm=a&b"), "1:12 \"&\" in a string without quotes");
    EXPECT_EQ(error("read comm=a|b"), "1:12 \"|\" in a string without quotes");
    EXPECT_EQ(error("read comm=$x"), "1:10 there is no operator \"=$\"");
    EXPECT_EQ(error("read comm= $x"), "1:12 \"$\" in a string without quotes");
    EXPECT_EQ(error("read comm=a\\b"), "1:12 a stray \"\\\"");
    EXPECT_EQ(error("read comm=a\"b\""), "1:12 \"\\\"\" in a string without quotes");
    EXPECT_EQ(error("read comm=\"ab"), "1:11 the string is not closed");
    EXPECT_EQ(error("read comm=\"ab\\\nread"), "1:11 the string is not closed");
    EXPECT_EQ(error("read comm=\"ab\\\r\n"), "1:11 the string is not closed");
    EXPECT_EQ(error("read comm=\"a\\qb\""), "1:13 unknown escape: a backslash before \"q\"");
    EXPECT_EQ(error("read comm=\"\\x4\""), "1:12 \\x is not followed by two hexadecimal digits");
    EXPECT_EQ(expected("read comm=\"\\x4\""), R"(\", \\, \n, or \x and two hexadecimal digits)");
    EXPECT_EQ(error("read path=/a/*"), "1:14 there are no wildcards");
    EXPECT_EQ(error("read path=/a?"), "1:13 there are no wildcards");
    EXPECT_EQ(error("read comm=(x)"), "1:11 \"(\" in a string without quotes");
}

TEST(RulesErrors, Clauses) {
    EXPECT_EQ(error("read a0=1 &&"), "1:13 the clause ends too early");
    EXPECT_EQ(error("read a0=1 && # x"), "1:13 the clause ends too early");
    EXPECT_EQ(error("read && a0=1"), "1:6 a stray \"&\"");
    EXPECT_EQ(error("read a0=1 && && a1=2"), "1:14 a stray \"&\"");
    EXPECT_EQ(error("read a0=1 & a1=2"), "1:11 a stray \"&\"");
    EXPECT_EQ(error("read a0=1 || a1=2"), "1:11 a stray \"|\"");
    EXPECT_EQ(error("read a0=1, a1=2"), "1:10 a comparison cannot begin with \",\"");
    EXPECT_EQ(error("read (a0=1)"), "1:6 a comparison cannot begin with \"(\"");
    EXPECT_EQ(error("read 5=a0"), "1:6 a comparison cannot begin with \"5\"");
    EXPECT_EQ(error("read a0=1 \\ a1=2"), "1:11 a stray \"\\\"");
    EXPECT_EQ(error("read a0=1 && P"), "1:14 P is a flag of the line, not a field");
}

TEST(RulesErrors, Flags) {
    EXPECT_EQ(error("not read PV"), "1:10 PV is only for lines that select events");
    EXPECT_EQ(error("let x = a0=1 P"), "1:14 P is only for lines that select events");
    EXPECT_EQ(error("read PVX"), "1:6 unknown field \"PVX\"");
}

TEST(RulesErrors, Macros) {
    EXPECT_EQ(error("let"), "1:4 the macro has no name");
    EXPECT_EQ(error("let = uid=1"), "1:5 the macro has no name");
    EXPECT_EQ(error("let x"), "1:6 \"=\" is missing after let x");
    EXPECT_EQ(error("let x uid=1"), "1:7 \"=\" is missing after let x");
    EXPECT_EQ(error("let x ="), "1:8 macro x is empty");
    EXPECT_EQ(error("let x = uid=1\nlet x = uid=2"), "2:5 $x is defined already, in line 1");
    EXPECT_EQ(error("read $x\nlet x = uid=1"), "1:6 unknown macro \"$x\"");
    EXPECT_EQ(error("let x = $x"), "1:9 unknown macro \"$x\"");
}

TEST(RulesErrors, APlaceInAMacroThatDoesNotFitTheCall) {
    EXPECT_EQ(errors("let m = uid=1 \\\n  flags|1\nread a0=1 $m"),
              "x.rules:3:11: error: $m (line 2): read has no argument flags\n"
              "read a0=1 $m\n"
              "          ^~\n"
              "expected: one of its arguments: a0 (fd), a1 (buf), a2 (count)\n");
    EXPECT_EQ(error("let m = path ^ /etc/\nlet n = $m\ngetpid $n"), "3:8 $n (line 1): getpid names no path");
    EXPECT_EQ(error("let m = a0 = 4294967296\nlseek $m"),
              "2:7 $m (line 1): the value does not fit in the 32 bits of a0");
}

TEST(RulesErrors, AWrongMacroIsReportedOnce) {
    EXPECT_EQ(error("let m = uid=\nread $m\nlet n = $m && uid=1\nwrite $n"), "1:13 a number is missing");
}

TEST(RulesErrors, ClausesOfAllThatFitNoCall) {
    EXPECT_EQ(error("all a0=1 && sig=9 && dirfd=1"),
              "1:13 this clause fits no system call; for example: read has no argument sig");
}

TEST(RulesErrors, TooMuch) {
    std::string doubling = "let m0 = uid=1 uid=2\n";
    for (int i = 1; i <= 12; ++i)
        doubling += "let m" + std::to_string(i) + " = $m" + std::to_string(i - 1) + " $m" +
                    std::to_string(i - 1) + '\n';
    EXPECT_EQ(error(doubling), "11:18 more than 1024 clauses, macros expanded");
    EXPECT_EQ(error("let m = uid=1 uid=2\nread $m&&$m&&$m&&$m&&$m&&$m&&$m&&$m&&$m&&$m&&$m"),
              "2:48 more than 1024 clauses, macros expanded");
    std::string conjunction = "read uid=1";
    for (int i = 0; i < 64; ++i)
        conjunction += "&&uid=1";
    EXPECT_EQ(error(conjunction), "1:459 more than 64 comparisons in one clause");
}

TEST(RulesErrors, TooManyNumbersUnknownToTheTable) {
    std::string text;
    for (unsigned number = 0; number < EBT_NUMBERS; ++number) {
        text += std::to_string(number) + '\n';
#ifdef __x86_64__ // for each of them one of x32
        text += std::to_string(0x40000000u + number) + '\n';
#endif
    }
    const std::string what = errors(text);
    EXPECT_NE(what.find("error: too many numbers that the table of system calls does not know"),
              std::string::npos);
}

TEST(RulesErrors, BytesThatAreNoText) {
    using namespace std::string_literals;
    EXPECT_EQ(error("\0"s), "1:1 a line has to begin with the system call that it is for");
    EXPECT_EQ(error("read\0"s), "1:5 a comparison cannot begin with \"\\x00\"");
    EXPECT_EQ(error("read comm=\"a\0\""s), "1:13 a NUL byte in the file");
    EXPECT_EQ(error("read comm=a\0b"s), "1:12 \"\\x00\" in a string without quotes");
    EXPECT_EQ(error("# \0 in a comment\nread x\0"s), "2:6 unknown field \"x\"");
    EXPECT_EQ(error("read \x1b[2J=1"), "1:6 a comparison cannot begin with \"\\x1b\"");
    EXPECT_EQ(error("read a0=1\rwrite"), "1:10 a comparison cannot begin with \"\\r\"");
    EXPECT_EQ(error("r\xc3\xa9"s
                    "ad"),
              "1:1 unknown system call \"r\"");
    EXPECT_EQ(error("read \xe2\x80\xae=1"), "1:6 a comparison cannot begin with \"\\u{202e}\"");
    EXPECT_EQ(error("read \xff=1"), "1:6 a comparison cannot begin with \"\\xff\"");
}

TEST(RulesErrors, ColumnsCountCharacters) {
    EXPECT_EQ(errors("read comm=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff x=1"),
              "x.rules:1:16: error: unknown field \"x\"\n"
              "read comm=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80? x=1\n"
              "               ^\n" +
                  lines(errors("read x=1"))[3] + '\n');
}

TEST(RulesErrors, NothingOfTheFileReachesATerminalUnescaped) {
    const std::string what = errors("read comm=\"\x1b]0;x\x07\xc2\x9b\xe2\x80\xae\" y=1\n\x1b[2Jz\n");
    for (const char c : what)
        EXPECT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) << what;
    EXPECT_EQ(what.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(what.find("\xe2\x80\xae"), std::string::npos);
    const RuleError hostile_name = [] {
        try {
            Rules::parse("x", "a\x1b[2J\nb");
        } catch (const RuleError& caught) {
            return caught;
        }
        return RuleError("none");
    }();
    EXPECT_TRUE(std::string(hostile_name.what()).starts_with("a?[2J?b:1:1: error"));
}

TEST(RulesErrors, OfALongLineThePartAroundThePlaceIsShown) {
    const std::string what = errors("read" + std::string(1000, ' ') + "x=1" + std::string(1000, ' ') + "# " +
                                    std::string(1 << 20, 'c'));
    const auto shown = lines(what);
    ASSERT_EQ(shown.size(), 4u);
    EXPECT_TRUE(shown[0].starts_with("x.rules:1:1005: error: unknown field")) << shown[0];
    EXPECT_EQ(shown[1].size(), 106u);
    EXPECT_EQ(shown[1].find('x'), shown[2].find('^'));
    EXPECT_LT(what.size(), 1000u);
    const auto word = lines(errors(std::string(1 << 20, 'w')));
    EXPECT_EQ(word[0], "x.rules:1:1: error: unknown system call \"" + std::string(48, 'w') + "...\"");
    EXPECT_EQ(word[2], '^' + std::string(99, '~'));
}

TEST(RulesErrors, PlacesInContinuedLines) {
    EXPECT_EQ(error("read a0=1 \\\n  a1=2 \\\n  zz=3\n"), "3:3 unknown field \"zz\"");
    EXPECT_EQ(error("read a0=1 \\\n  a1= \\\n\n"), "2:6 a number is missing");
}

} // namespace
