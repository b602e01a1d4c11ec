// SPDX-License-Identifier: MIT
// What monitoring sees of a run: its file of metrics, and heartbeats in the stream.
#include <filesystem>
#include <regex>

#include <gmock/gmock.h>

#include "test/program/run_fixture.hpp"

using namespace program_test;
using testing::HasSubstr;

namespace {

/// The sample of a metric, by its whole name with labels; -1: there is none.
double sample(const std::string& page, const std::string& name) {
    for (const std::string& line : lines_of(page))
        if (line.starts_with(name + " "))
            return std::stod(line.substr(name.size() + 1));
    return -1;
}

const std::string emitted = "ebpf_telemetry_events_emitted_total{program=\"ebpf_telemetry\"}";

TEST_F(Run, KeepsAFileOfMetrics) {
    const std::string file = folder.path() + "/ebpf_telemetry.prom";
    RunningProgram program(arguments({"-o", log, "--metrics-file", file, "--metrics-interval", "1"}));
    ASSERT_TRUE(program.reports()) << program.err();
    EXPECT_TRUE(eventually([&] { return sample(read_file(file), emitted) == 0; })) << "from the start";
    call_getppid(caller, 12);
    EXPECT_TRUE(eventually([&] { return sample(read_file(file), emitted) == 12; })) << read_file(file);
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    const std::string page = read_file(file);
    EXPECT_EQ(sample(page, "ebpf_telemetry_events_imbalance{program=\"ebpf_telemetry\"}"), 0);
    EXPECT_GE(sample(page, "ebpf_telemetry_lag_seconds_count{program=\"ebpf_telemetry\"}"), 1);
    EXPECT_GT(sample(page, "ebpf_telemetry_resident_memory_bytes{program=\"ebpf_telemetry\"}"), 1 << 20);
    const json summary = program.summaries().at(0);
    EXPECT_EQ(sample(page, "ebpf_telemetry_events_seen_total{program=\"ebpf_telemetry\"}"), summary["seen"]);
    EXPECT_EQ(
        sample(page, "ebpf_telemetry_output_events_written_total{program=\"ebpf_telemetry\",output=\"file " +
                         log + "\"}"),
        12);
    if (std::system("command -v promtool >/dev/null") == 0) {
        EXPECT_EQ(std::system(("promtool check metrics <" + file).c_str()), 0);
    }
}

TEST_F(Run, AFileOfMetricsThatCannotBeWrittenIsAnErrorOnce) {
    RunningProgram program(arguments({"-o", log, "--metrics-file", folder.path() + "/no/such",
                                      "--metrics-interval", "1", "--duration", "4"}));
    EXPECT_EQ(program.wait(), 0) << program.err();
    const std::string err = program.err();
    const size_t first = err.find("error: --metrics-file: ");
    ASSERT_NE(first, std::string::npos) << err;
    EXPECT_EQ(err.find("error: --metrics-file: ", first + 1), std::string::npos) << err;
}

TEST_F(Run, HeartbeatsHaveTheBalance) {
    RunningProgram program(arguments({"-o", log, "--heartbeat", "1"}));
    ASSERT_TRUE(program.reports()) << program.err();
    call_getppid(caller, 5);
    const auto beats = [&] {
        std::vector<json> found;
        const std::string text = read_file(log);
        for (const json& line : parsed(text.substr(0, text.rfind('\n') + 1)))
            if (line["event"]["kind"] == "state")
                found.push_back(line);
        return found;
    };
    const auto has_all = [&] {
        const std::vector<json> found = beats();
        return found.size() >= 2 && found.back()["linux"]["telemetry"]["balance"]["emitted"] == 5;
    };
    ASSERT_TRUE(eventually(has_all)) << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    uint64_t number = 0;
    for (const json& beat : beats()) {
        EXPECT_EQ(beat["event"]["action"], "heartbeat");
        EXPECT_EQ(beat["event"]["dataset"], "ebpf_telemetry.state");
        EXPECT_TRUE(
            beat["event"]["id"].get<std::string>().ends_with("-heartbeat-" + std::to_string(++number)));
        const json& balance = beat["linux"]["telemetry"]["balance"];
        EXPECT_EQ(balance["seen"].get<uint64_t>(),
                  balance["filtered"]["kernel"].get<uint64_t>() +
                      balance["filtered"]["rules"].get<uint64_t>() + balance["emitted"].get<uint64_t>() +
                      balance["lost"].get<uint64_t>() + balance["in_flight"].get<uint64_t>())
            << balance;
    }
    EXPECT_EQ(beats().back()["linux"]["telemetry"]["balance"]["emitted"], 5);
    const json summary = program.summaries().at(0);
    expect_balance(summary);
    EXPECT_EQ(summary["emitted"], 5) << "a heartbeat is no event";
}

TEST_F(Run, HeartbeatsInText) {
    RunningProgram program({"-c", usable_config(), "-r", rules, "-o", log, "--heartbeat", "1"});
    EXPECT_TRUE(eventually([&] {
        return read_file(log).find(" state=heartbeat number=1 seen=") != std::string::npos;
    })) << program.err();
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_THAT(program.err(), HasSubstr("0 emitted"));
}

} // namespace
