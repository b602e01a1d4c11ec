// SPDX-License-Identifier: MIT
// What a line says of calls that never ran, of what others share, and of where in the world paths are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "test/unit/output/output_samples.hpp"

namespace {

using namespace telemetry;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

FormatContext context() {
    FormatContext context = samples::context();
    context.first = {.mnt = 1, .pid = 2, .user = 3};
    return context;
}

std::string text_line(const Event& event) {
    return samples::formatted(*format_named("text").make(context()), event);
}

json json_line(const Event& event) {
    return json::parse(samples::formatted(*format_named("json").make(context()), event));
}

TEST(Remarks, ACallThatNeverRanSaysWhoAnsweredIt) {
    Event event = samples::call(samples::openat, 257);
    event.execution = EBT_SECCOMP | EBT_SKIPPED;
    EXPECT_THAT(text_line(event), HasSubstr(" success=no exit=257 "));
    EXPECT_THAT(text_line(event), HasSubstr(" executed=no answered_by=seccomp\n"));
    const json made = json_line(event);
    EXPECT_EQ(made["event"]["outcome"], "failure");
    EXPECT_EQ(made["linux"]["syscall"]["executed"], false);
    EXPECT_EQ(made["linux"]["syscall"]["answered_by"], "seccomp");
    EXPECT_FALSE(made.contains("error"));
    event.execution = EBT_TRACED | EBT_SKIPPED;
    EXPECT_THAT(text_line(event), HasSubstr(" answered_by=tracer\n"));
    event.execution = EBT_TRACED | EBT_SECCOMP | EBT_SKIPPED;
    EXPECT_THAT(text_line(event), HasSubstr(" answered_by=seccomp_or_tracer\n"));
}

TEST(Remarks, TheKeyOfTheRule) {
    Event event = samples::call(samples::openat, 3);
    EXPECT_THAT(text_line(event), Not(HasSubstr(" key=")));
    EXPECT_FALSE(json_line(event).contains("tags"));
    event.key = R"(a "b" \ c)";
    EXPECT_THAT(text_line(event), HasSubstr(R"( key="a \"b\" \\ c")"));
    EXPECT_EQ(json_line(event)["tags"], json::array({R"(a "b" \ c)"}));
    event.key = "etc";
    event.cwd.shared = true;
    EXPECT_THAT(text_line(event), HasSubstr(" key=\"etc\" shared=cwd\n")) << "before what there is to know";
}

/// A process names the key of a file system's configuration as it likes: it cannot name a rule's.
TEST(Remarks, AnArgumentThatIsCalledKeyIsNotTheRules) {
    Event event = samples::call(*ebpf_loader::find_syscall("fsconfig"), 0);
    event.strings = 1;
    event.string[0].argument = 2;
    event.string[0].bytes = "etc";
    event.string[0].status = Status::ok;
    EXPECT_THAT(text_line(event), HasSubstr(" config_key=\"etc\""));
    EXPECT_THAT(text_line(event), Not(HasSubstr(" key=")));
    EXPECT_EQ(json_line(event)["linux"]["syscall"]["strings"]["key"], "etc");
    EXPECT_FALSE(json_line(event).contains("tags"));
}

TEST(Remarks, ACallThatMayNotHaveRunSaysSo) {
    Event event = samples::call(samples::openat, 3);
    event.execution = EBT_SECCOMP | EBT_UNPROVEN;
    EXPECT_THAT(text_line(event), HasSubstr(" success=yes exit=3 "));
    EXPECT_THAT(text_line(event), HasSubstr(" executed=? answered_by=seccomp\n"));
    const json made = json_line(event);
    EXPECT_EQ(made["event"]["outcome"], "unknown");
    EXPECT_EQ(made["linux"]["syscall"]["unproven"], true);
    EXPECT_FALSE(made["linux"]["syscall"].contains("executed"));
    event.execution = EBT_SECCOMP; // it ran
    EXPECT_THAT(text_line(event), Not(HasSubstr("executed")));
    EXPECT_EQ(json_line(event)["event"]["outcome"], "success");
}

TEST(Remarks, FieldsThatOthersCouldHaveChangedAreListed) {
    Event event = samples::call(samples::openat, -ENOENT);
    samples::add_path(event, 1, "/etc/x", Source::user_memory);
    event.path[0].shared = event.cwd.shared = true;
    event.shared = EBT_MEMORY_ARGS | EBT_SHARED_MEMORY;
    EXPECT_THAT(text_line(event), HasSubstr(" shared=args,cwd,path\n"));
    const json made = json_line(event);
    EXPECT_THAT(
        made["linux"]["telemetry"]["shared"],
        testing::UnorderedElementsAre("linux.syscall.args", "process.working_directory", "file.path"));
    event.shared = EBT_MEMORY_ARGS; // of one thread alone
    EXPECT_THAT(text_line(event), HasSubstr(" shared=cwd,path\n"));
}

TEST(Remarks, PathsInAnotherMountNamespaceAreMarked) {
    Event event = samples::call(samples::openat, -ENOENT);
    samples::add_path(event, 1, "/etc/x", Source::user_memory);
    event.image.namespaces = {.mnt = 1, .pid = 2, .user = 3};
    EXPECT_THAT(text_line(event), Not(HasSubstr("_ns=")));
    EXPECT_THAT(text_line(event), Not(HasSubstr("foreign=")));
    event.image.namespaces = {.mnt = 10, .pid = 20, .user = 30};
    EXPECT_THAT(text_line(event), HasSubstr(" mnt_ns=10 pid_ns=20 user_ns=30 "));
    EXPECT_THAT(text_line(event), HasSubstr(" foreign=exe,cwd,path\n"));
    const json made = json_line(event);
    EXPECT_EQ(made["linux"]["namespace"], json({{"mnt", 10}, {"pid", 20}, {"user", 30}}));
    EXPECT_THAT(
        made["linux"]["telemetry"]["foreign"],
        testing::UnorderedElementsAre("process.executable", "process.working_directory", "file.path"));
    event.image.namespaces = {}; // not known
    EXPECT_THAT(text_line(event), Not(HasSubstr("_ns=")));
    EXPECT_FALSE(json_line(event)["linux"].contains("namespace"));
}

} // namespace
