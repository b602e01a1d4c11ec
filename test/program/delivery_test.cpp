// SPDX-License-Identifier: MIT
// Outputs that a file configures.
#include <csignal>
#include <gmock/gmock.h>
#include <sys/mount.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

struct Delivery : Run {
    std::string configure(const std::string& text) const {
        std::ofstream(folder.path() + "/outputs.conf") << text;
        return folder.path() + "/outputs.conf";
    }
    /// The part of the summary that is about the output with this name.
    static json output(const json& summary, const std::string& name) {
        for (const json& output : summary["outputs"])
            if (output["name"] == name)
                return output;
        ADD_FAILURE() << name << " is not in " << summary;
        return {};
    }
};

TEST_F(Delivery, EachOutputHasItsOwnFormatAndFilter) {
    std::ofstream(rules) << "getppid comm = " << caller << " key mine\ngetppid key others\n";
    RunningProgram program(arguments(
        {"--output-config",
         configure("[output.all]\nkind = file\npath = " + log +
                   "\n[output.mine]\nkind = file\nformat = text\nkeys = mine\npath = " + log + ".txt\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 30);
    call_getppid("another", 20);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(program.out(), "") << "the screen is not used";
    const json summary = program.summaries().back();
    expect_balance(summary);
    size_t mine = 0;
    auto events = parsed(read_file(log));
    EXPECT_EQ(events.back()["event"]["action"], "checkpoint");
    EXPECT_EQ(events.back()["linux"]["telemetry"]["output"],
              json({{"name", "all"}, {"lines", events.size() - 1}, {"lost", 0}, {"last", true}}));
    events.erase(events.end() - 1);
    for (const json& event : events)
        mine += event["tags"] == json::array({"mine"});
    EXPECT_EQ(mine, 30u);
    EXPECT_EQ(events.size(), summary["emitted"]);
    EXPECT_EQ(output(summary, "file all")["written"], summary["emitted"]);
    const auto lines = lines_of(read_file(log + ".txt"));
    EXPECT_EQ(lines.size(), 30u);
    for (const std::string& line : lines)
        EXPECT_THAT(line, HasSubstr("key=\"mine\""));
    EXPECT_EQ(output(summary, "file mine")["offered"], 30);
    EXPECT_EQ(output(summary, "file mine")["written"], 30);
    EXPECT_EQ(output(summary, "file mine")["waiting"], 0);
}

TEST_F(Delivery, FilesAreOpenedAnewOnHangup) {
    RunningProgram program(
        arguments({"--output-config", configure("[output.f]\nkind = file\npath = " + log + "\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 5);
    ASSERT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 5; }));
    ASSERT_EQ(rename(log.c_str(), (log + ".old").c_str()), 0);
    program.send(SIGHUP);
    ASSERT_TRUE(eventually([&] { return access(log.c_str(), F_OK) == 0; }));
    call_getppid(caller, 7);
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(read_file(log + ".old")).size(), 5u);
    EXPECT_EQ(lines_of(read_file(log)).size(), 8u) << "with the checkpoint at the end";
}

TEST_F(Delivery, AFullDiskHoldsUpNeitherTheReaderNorTheOthers) {
    ASSERT_EQ(mkdir((folder.path() + "/small").c_str(), 0700), 0);
    if (mount("none", (folder.path() + "/small").c_str(), "tmpfs", 0, "size=64k") != 0)
        GTEST_SKIP() << "no file systems can be mounted here";
    RunningProgram program(
        arguments({"--output-config",
                   configure("[output.f]\nkind = file\npath = " + folder.path() +
                             "/small/f\nqueue = 64K\n[output.g]\nkind = file\npath = " + log + "\n")}));
    ASSERT_TRUE(program.reports()) << program.err();
    for (int i = 0; i < 20; ++i) {
        call_getppid(caller, 200);
        usleep(20'000);
    }
    EXPECT_TRUE(eventually([&] { return read_file(log).find("\"output_f\"") != std::string::npos; }))
        << "the loss is reported to the other one";
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    const json summary = program.summaries().back();
    expect_balance(summary);
    EXPECT_EQ(summary["emitted"], 4000);
    const json full = output(summary, "file f");
    EXPECT_EQ(full["written"].get<int>() + full["lost"].get<int>(), 4000) << full;
    EXPECT_GT(full["lost"].get<int>(), 100);
    uint64_t written = 0;
    for (const json& line : parsed(read_file(folder.path() + "/small/f")))
        written += line["event"]["kind"] == "event";
    EXPECT_EQ(full["written"], written);
    EXPECT_EQ(output(summary, "file g")["written"], 4000);
    EXPECT_THAT(program.err(), HasSubstr("file f: "));
    umount2((folder.path() + "/small").c_str(), MNT_DETACH);
}

TEST_F(Delivery, MistakesAreFoundBeforeTheStart) {
    RunningProgram program({"--check", "--output-config", configure("[output.f]\nkind = file\npaht = /a\n")});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(),
                HasSubstr("outputs.conf:3: an output of kind file has no option \"paht\"; did you mean "
                          "\"path\"?"));
    RunningProgram checked(
        arguments({"--check", "--output-config", configure("[output.f]\nkind = file\npath = /a\n")}));
    EXPECT_EQ(checked.wait(), 0);
    EXPECT_THAT(checked.out(), HasSubstr("rules, outputs and kernel offsets"));
    EXPECT_NE(access("/a", F_OK), 0) << "nothing is opened";
}

TEST_F(Delivery, FilesThatCannotBeOpenedEndTheStart) {
    RunningProgram program(
        arguments({"--output-config", configure("[output.f]\nkind = file\npath = /nowhere/a\n")}));
    EXPECT_EQ(program.wait(), 2);
    EXPECT_THAT(program.err(), HasSubstr("Cannot write to /nowhere/a: No such file or directory"));
}

} // namespace
