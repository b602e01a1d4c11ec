// SPDX-License-Identifier: MIT
// Mistakes in keys, sets, groups and in the fields that have a form of their own.
#include "test/unit/rules/errors_support.hpp"

namespace {

using namespace rules_test;

TEST(RulesErrors, Keys) {
    EXPECT_EQ(error("read key"), "1:9 the key has no name");
    EXPECT_EQ(error("read key # x"), "1:9 the key has no name");
    EXPECT_EQ(error("read key \"\""), "1:10 the key has no name");
    EXPECT_EQ(error("read key \"a\\nb\""), "1:10 a character in the key that is not printable ASCII");
    EXPECT_EQ(error("read key \xc3\xa9"), "1:10 a character in the key that is not printable ASCII");
    EXPECT_EQ(error("read key " + std::string(257, 'k')), "1:10 the key is longer than 256 bytes");
    EXPECT_EQ(error("read key a uid=1 key b"), "1:18 the line has a key already, \"a\"");
    EXPECT_EQ(error("not read uid=1 key a"), "1:16 a key is only for lines that select events");
    EXPECT_EQ(error("let m = uid=1 key a"), "1:15 a key is only for lines that select events");
    EXPECT_EQ(error("read key = 5"), "1:6 read has no argument key");
    EXPECT_EQ(error("read key (a)"), "1:10 \"(\" in a string without quotes");
    EXPECT_EQ(expected("read key"),
              "a name of 1 to 256 printable ASCII characters; in double quotes when it holds more than "
              "letters, digits and _./-+@:,%~[]{}");
}

TEST(RulesErrors, Sets) {
    EXPECT_EQ(error("read uid in 5"), "1:13 a set has to begin with \"{\"");
    EXPECT_EQ(error("read uid in"), "1:12 a set has to begin with \"{\"");
    EXPECT_EQ(expected("read uid in (5|6)"), "values in braces: {1, 2}");
    EXPECT_EQ(error("read uid in {}"), "1:14 a number is missing");
    EXPECT_EQ(error("read uid in {1,}"), "1:16 a number is missing");
    EXPECT_EQ(error("read uid in {1 2}"), "1:16 the set is not closed");
    EXPECT_EQ(error("read uid in {1, 2"), "1:18 the set is not closed");
    EXPECT_EQ(expected("read uid in {1, 2"), "a comma and another value, or }");
    EXPECT_EQ(error("read pid in {1, root}"), "1:17 pid is compared with a number, not \"root\"");
    EXPECT_EQ(error("read uid in {1, 4294967296}"), "1:17 the value does not fit in the 32 bits of uid");
    EXPECT_EQ(error("read comm in {}"), "1:15 text to compare with is missing");
    EXPECT_EQ(error("read comm in {a, b"), "1:19 the set is not closed");
    EXPECT_EQ(error("read comm in {a*}"), "1:16 there are no wildcards");
    EXPECT_EQ(error("read comm in {{a}}"), "1:15 text to compare with is missing");
    std::string many = "read uid in {0";
    for (int i = 1; i <= 1024; ++i)
        many += ',' + std::to_string(i);
    EXPECT_EQ(error(many), "1:" + std::to_string(many.size() - 3) + " more than 1024 values in a set");
    EXPECT_EQ(error("let m = uid in {1,2,3,4}\nread $m && $m && $m && $m && $m && $m"),
              "2:38 more than 1024 clauses, macros expanded");
}

TEST(RulesErrors, Groups) {
    EXPECT_EQ(error("@wrte"), "1:1 unknown group \"@wrte\"");
    EXPECT_EQ(expected("@wrte"), "@read, @write, @attr, @exec");
    EXPECT_EQ(error("@ write"), "1:1 unknown group \"@\"");
    EXPECT_EQ(error("not @x uid=0"), "1:5 unknown group \"@x\"");
    EXPECT_EQ(error("@exec sig = 9"),
              "1:7 this clause fits no system call; for example: execve has no argument sig");
    EXPECT_EQ(error("let m = @write"), "1:9 a comparison cannot begin with \"@\"");
}

TEST(RulesErrors, FieldsOfAFormOfTheirOwn) {
    EXPECT_EQ(error("read argv[] = x"), "1:11 which argument is missing");
    EXPECT_EQ(error("read argv[1 = x"), "1:13 the bracket is not closed");
    EXPECT_EQ(error("read argv[1024] = x"), "1:6 that many arguments are not counted");
    EXPECT_EQ(expected("read argv[-1] = x"), "argv[0] to argv[1023]");
    EXPECT_EQ(error("read argv = x"), "1:6 read has no argument argv");
    EXPECT_EQ(error("read file.owner = 0"), "1:6 unknown field \"file.owner\"");
    EXPECT_EQ(error("getpid file.uid = 0"), "1:8 getpid names no path");
    EXPECT_EQ(error("read parent.exe & 1"), "1:17 operator & does not compare text");
    EXPECT_EQ(error("read file.mode = wheel"), "1:18 unknown constant \"wheel\"");
    EXPECT_EQ(error("read gid = nosuchgroup1"), "1:12 there is no group \"nosuchgroup1\" in /etc/group");
    EXPECT_EQ(error("read arch = amd64"), "1:13 arch is never \"amd64\"");
    EXPECT_EQ(error("read arch in {x86_64, b32}"), "1:23 arch is never \"b32\"");
    EXPECT_EQ(expected("read arch != b64"), "one of x86_64 i386 x32 aarch64 arm");
    EXPECT_EQ(error("read file.mode = 4294967296"),
              "1:18 the value does not fit in the 32 bits of file.mode");
}

} // namespace
