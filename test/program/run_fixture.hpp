// SPDX-License-Identifier: MIT
// Runs of the program with a process that makes a known number of calls.
#pragma once
#include <fstream>
#include <initializer_list>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "test/program/running_program.hpp"

namespace program_test {

using nlohmann::json;

/// The command name that the rules below ask for; no other run of these tests has it.
inline const std::string caller = "ebt_" + std::to_string(getpid());

/// A process of that or another name that calls getppid() so often, on one CPU if so wished.
inline void call_getppid(const std::string& name, int count, int cpu = -1) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, name.c_str());
        if (cpu >= 0) {
            cpu_set_t cpus;
            CPU_ZERO(&cpus);
            CPU_SET(cpu, &cpus);
            sched_setaffinity(0, sizeof cpus, &cpus);
        }
        for (int i = 0; i < count; i++)
            syscall(SYS_getppid);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

inline std::vector<json> parsed(const std::string& text) {
    std::vector<json> events;
    for (const std::string& line : lines_of(text))
        events.push_back(json::parse(line));
    return events;
}

struct Run : testing::Test {
    Run() {
        std::ofstream(rules) << "getppid comm = " << caller << "\n";
        std::ofstream(all_rules) << "getppid\n";
    }
    /// With the rules above and what else is wanted.
    std::vector<std::string> arguments(std::initializer_list<std::string> more) const {
        std::vector<std::string> all = {"-c", usable_config(), "-r", rules, "-f", "json"};
        all.insert(all.end(), more);
        return all;
    }

    TemporaryFolder folder;
    std::string rules = folder.path() + "/rules";
    std::string all_rules = folder.path() + "/all_rules";
    std::string log = folder.path() + "/events";
};

/// Balanced, and at the end: nothing is on its way.
inline void expect_balance(const json& summary) {
    uint64_t lost = 0;
    for (const auto& [cause, count] : summary["lost"].items())
        lost += count.get<uint64_t>();
    EXPECT_EQ(summary["seen"].get<uint64_t>(),
              summary["filtered"]["kernel"].get<uint64_t>() + summary["filtered"]["rules"].get<uint64_t>() +
                  summary["folded"].get<uint64_t>() + summary["emitted"].get<uint64_t>() + lost)
        << summary;
    EXPECT_EQ(summary["in_flight"], 0);
    EXPECT_EQ(summary["imbalance"], 0);
}

} // namespace program_test
