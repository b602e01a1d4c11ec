// SPDX-License-Identifier: MIT
// exec_search outcome: of a search along PATH its outcome is reported, and nothing is missing from the
// balance.
#include <filesystem>

#include <gmock/gmock.h>

#include "test/program/run_fixture.hpp"

namespace {

using namespace program_test;
using testing::UnorderedElementsAre;

struct ExecSearch : Run {
    ExecSearch() {
        std::filesystem::create_directory(folder.path() + "/c");
        std::filesystem::create_symlink("/bin/true", folder.path() + "/c/true_tool");
    }
    /// Looks for a program as execvp(3) does.
    void look_for(const char* name) const {
        const pid_t child = fork();
        if (child == 0) {
            const std::string path = folder.path() + "/a:" + folder.path() + "/b:" + folder.path() + "/c";
            setenv("PATH", path.c_str(), 1);
            execlp(name, name, nullptr);
            _exit(127);
        }
        waitpid(child, nullptr, 0);
    }
    /// What was reported: of those that failed the path in the folder.
    std::vector<std::string> attempts_under(const std::string& rules_text) const {
        std::ofstream(rules) << rules_text << "\nexecve path ^ " << folder.path()
                             << "/ exe = " << std::filesystem::canonical("/bin/true").string()
                             << " && ppid = " << getpid() << "\n";
        RunningProgram program(arguments({"-o", log}));
        EXPECT_TRUE(program.reports()) << program.err();
        look_for("true_tool");
        look_for("no_tool");
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 0);
        expect_balance(program.summaries().back());
        std::vector<std::string> attempts;
        for (const json& event : parsed(read_file(log))) {
            const bool fails = event["event"]["outcome"] == "failure";
            attempts.push_back(fails
                                   ? event["file"]["path"].get<std::string>().substr(folder.path().size() + 1)
                                   : "executed " + event["process"]["args"][0].get<std::string>());
        }
        return attempts;
    }
};

TEST_F(ExecSearch, IsReportedByItsOutcome) {
    EXPECT_THAT(attempts_under("exec_search outcome"),
                UnorderedElementsAre("executed true_tool", "c/no_tool"));
}

TEST_F(ExecSearch, IsReportedWholeWithoutTheLine) {
    EXPECT_THAT(attempts_under(""), UnorderedElementsAre("a/true_tool", "b/true_tool", "executed true_tool",
                                                         "a/no_tool", "b/no_tool", "c/no_tool"));
}

} // namespace
