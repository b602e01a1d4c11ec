// SPDX-License-Identifier: MIT
// What monitoring sees of a run: its file of metrics, and heartbeats in the stream.
#include <filesystem>
#include <regex>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <gmock/gmock.h>

#include "telemetry/health/listener.hpp"
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

struct Answer {
    std::string head, body; ///< both empty: there was none within 10 s
};

/// Asks the program that listens at a Unix socket, without the help of programs, which guests do not have.
/// The lines of the request's header end in CR LF.
Answer ask(const std::string& socket, const std::string& method_and_target, const std::string& header = "") {
    const ebpf_loader::UniqueFd connection = telemetry::connect_to({.path = socket});
    const timeval patience{10, 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::string request =
        method_and_target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + "\r\n";
    if (send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return {};
    std::string text;
    char part[4096];
    for (ssize_t got = 0; (got = recv(connection.get(), part, sizeof part, 0)) > 0;)
        text.append(part, static_cast<size_t>(got));
    const size_t end = text.find("\r\n\r\n");
    return end == std::string::npos ? Answer{} : Answer{text.substr(0, end), text.substr(end + 4)};
}

TEST_F(Run, ServesItsHealth) {
    const std::string socket = folder.path() + "/status.sock";
    RunningProgram program(arguments({"-o", log, "--listen", socket}));
    ASSERT_TRUE(program.reports()) << program.err();
    EXPECT_EQ(ask(socket, "GET /healthz").body, "ok\n");
    call_getppid(caller, 12);
    EXPECT_TRUE(eventually([&] { return sample(ask(socket, "GET /metrics").body, emitted) == 12; }));
    EXPECT_EQ(json::parse(ask(socket, "GET /status.json").body)["emitted"], 12);
    EXPECT_THAT(ask(socket, "GET /no").body, HasSubstr("/metrics"));
    EXPECT_THAT(ask(socket, "POST /metrics").head, HasSubstr("HTTP/1.1 405"));
    EXPECT_THAT(ask(socket, "GET /healthz", "A: " + std::string(9000, 'a') + "\r\n").head,
                testing::Not(HasSubstr("200")));
    struct stat status {};
    ASSERT_EQ(stat(socket.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    RunningProgram asks({"--settings", "none", "--status", "--listen", socket});
    EXPECT_EQ(asks.wait(), 0) << asks.err();
    EXPECT_THAT(asks.out(), HasSubstr("12 emitted"));
    RunningProgram second(arguments({"--listen", socket}));
    EXPECT_EQ(second.wait(), 2);
    EXPECT_THAT(second.err(), HasSubstr("another program listens there"));
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_NE(stat(socket.c_str(), &status), 0) << "it is gone with the program";
    RunningProgram nobody({"--settings", "none", "--status", "--listen", socket});
    EXPECT_EQ(nobody.wait(), 2);
}

/// Who connects and says nothing holds up nobody for long, and never the events.
TEST_F(Run, ServesDespiteConnectionsThatSayNothing) {
    const std::string socket = folder.path() + "/status.sock";
    RunningProgram program(arguments({"-o", log, "--listen", socket}));
    ASSERT_TRUE(program.reports()) << program.err();
    std::vector<ebpf_loader::UniqueFd> silent;
    for (int i = 0; i < 20; ++i)
        silent.push_back(telemetry::connect_to({.path = socket}));
    call_getppid(caller, 7);
    EXPECT_TRUE(eventually([&] { return lines_of(read_file(log)).size() == 7; }));
    EXPECT_EQ(ask(socket, "GET /healthz").body, "ok\n") << "after 5 s";
    program.send(SIGINT);
    EXPECT_EQ(program.wait(), 0) << program.err();
}

TEST_F(Run, ListensForThisMachineAlone) {
    for (const char* address :
         {"0.0.0.0:9464", "192.0.2.1:9464", "127.0.0.1:0", "127.0.0.1:99999", "status.sock"}) {
        RunningProgram program(arguments({"--listen", address}));
        EXPECT_EQ(program.wait(), 2) << address;
        EXPECT_THAT(program.err(), HasSubstr("--listen takes the path of a Unix socket")) << address;
    }
}

} // namespace
