// SPDX-License-Identifier: MIT
// What needs no kernel: options, rules and configs that are right or wrong.
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <gmock/gmock.h>

#include "test/program/running_program.hpp"

using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::string file_with(const TemporaryFolder& folder, const std::string& name, std::string_view text) {
    std::string path = folder.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
}

TEST(CommandLine, TellsAboutItself) {
    RunningProgram version({"--version"});
    EXPECT_EQ(version.wait(), 0);
    EXPECT_THAT(version.out(), StartsWith("ebpf_telemetry "));
    EXPECT_EQ(version.err(), "");
    RunningProgram help({"--help"});
    EXPECT_EQ(help.wait(), 0);
    EXPECT_THAT(help.out(), HasSubstr("Examples:"));
    RunningProgram list({"--list-syscalls"});
    EXPECT_EQ(list.wait(), 0);
    EXPECT_THAT(list.out(), HasSubstr("openat2"));
}

TEST(CommandLine, RefusesWrongOptions) {
    RunningProgram program({"--no-such"});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("--no-such"));
    EXPECT_THAT(program.err(), HasSubstr("--help"));
    EXPECT_EQ(program.out(), "");
}

TEST(CommandLine, SaysWhenItsOutputIsLost) {
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    RunningProgram program({"--help"}, {.standard_output = full});
    EXPECT_EQ(program.wait(), 9);
    close(full);
}

TEST(CommandLine, ChecksRules) {
    TemporaryFolder folder;
    RunningProgram right(
        {"--check", "-c", usable_config(), "-r", file_with(folder, "right", "openat a2 | O_WRONLY\n")});
    EXPECT_EQ(right.wait(), 0) << right.err();
    EXPECT_THAT(right.out(), HasSubstr("in order"));
    std::string wrong_rules = file_with(folder, "wrong", "openat\nno_such_call a0 = 1\n");
    RunningProgram wrong({"--check", "-c", usable_config(), "-r", wrong_rules});
    EXPECT_EQ(wrong.wait(), 2);
    EXPECT_THAT(wrong.err(), HasSubstr(wrong_rules + ":2:1:"));
    RunningProgram idle(
        {"--check", "-c", usable_config(), "-r", file_with(folder, "idle", "kill\nnot kill\n")});
    EXPECT_EQ(idle.wait(), 2) << "as a run would end";
    EXPECT_THAT(idle.err(), HasSubstr("select no event"));
    RunningProgram absent({"--check", "-c", usable_config(), "-r", folder.path() + "/absent"});
    EXPECT_EQ(absent.wait(), 2);
    EXPECT_THAT(absent.err(), HasSubstr("absent"));
}

TEST(CommandLine, ChecksConfigs) {
    TemporaryFolder folder;
    RunningProgram program(
        {"--check", "-c", file_with(folder, "conf", "release = any\ntask_struct.no_such = 1\n")});
    EXPECT_EQ(program.wait(), 6);
    EXPECT_THAT(program.err(), HasSubstr("conf:2"));
}

TEST(CommandLine, ProbesAsTextAndJson) {
    RunningProgram text({"--probe"});
    EXPECT_EQ(text.wait(), 0);
    EXPECT_THAT(text.out(), HasSubstr("raw_tp_sub4096"));
    RunningProgram json({"--probe", "-f", "json"});
    EXPECT_EQ(json.wait(), 0);
    EXPECT_TRUE(nlohmann::json::parse(json.out()).is_object());
}

/// What root has in a container without privileges.
void drop_capabilities() {
    for (unsigned long capability = 0; capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability);
}

TEST(CommandLine, SaysWhichPrivilegesItLacks) {
    RunningProgram program({"-c", "none"}, {.before = drop_capabilities});
    EXPECT_EQ(program.wait(), 3);
    EXPECT_THAT(program.err(), HasSubstr("not allowed"));
}

void hide_syslog() {
    unshare(CLONE_NEWNS);
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    mount("tmpfs", "/dev", "tmpfs", 0, nullptr);
}

TEST(CommandLine, SaysThatThereIsNoSyslog) {
    RunningProgram program({"-s", "-q", "-c", "none"}, {.last = hide_syslog});
    EXPECT_EQ(program.wait(), 2) << "as with a file that cannot be opened";
    EXPECT_THAT(program.err(), HasSubstr("Is a syslog daemon running?"));
}

} // namespace
