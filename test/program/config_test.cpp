// SPDX-License-Identifier: MIT
// Kernel offsets from a config.
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

struct Config : Run {
    Config() {
        std::string command = usable_config() == "none" ? GET_OFFSETS : "cat " + usable_config();
        command += " > " + file;
        EXPECT_EQ(system(command.c_str()), 0);
    }
    /// Changes a line of the config.
    void set(const std::string& key, const std::string& value) {
        std::string text;
        for (const std::string& line : lines_of(read_file(file)))
            text.append(line.starts_with(key + " = ") ? std::string(key).append(" = ").append(value) : line)
                .append("\n");
        std::ofstream(file) << text;
    }
    std::vector<std::string> with_config(std::initializer_list<std::string> more = {}) const {
        std::vector<std::string> all = {"-c", file, "-r", rules, "-f", "json"};
        all.insert(all.end(), more);
        return all;
    }
    std::string file = folder.path() + "/ebpf_telemetry.conf";
};

TEST_F(Config, Rules) {
    RunningProgram program(with_config());
    ASSERT_TRUE(program.reports()) << program.err();
    EXPECT_THAT(program.err(), HasSubstr("kernel offsets from config " + file));
    call_getppid(caller, 10);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_EQ(lines_of(program.out()).size(), 10u);
}

TEST_F(Config, OfAnotherReleaseIsRefused) {
    set("release", "1.2.3-other");
    RunningProgram program(with_config());
    EXPECT_EQ(program.wait(), 6);
    EXPECT_THAT(program.err(), HasSubstr("1.2.3-other"));
    EXPECT_THAT(program.err(), HasSubstr("--any-release"));
    RunningProgram accepted(with_config({"--any-release", "--duration", "0.3"}));
    EXPECT_EQ(accepted.wait(), 0) << accepted.err();
}

TEST_F(Config, WithAWrongOffsetStopsTheStart) {
    set("task_struct.tgid", "8");
    RunningProgram program(with_config());
    EXPECT_EQ(program.wait(), 6);
    EXPECT_THAT(program.err(), HasSubstr("task_struct.tgid"));
    EXPECT_EQ(program.out(), "");
}

} // namespace
