// SPDX-License-Identifier: MIT
// Services that answer as they should not, connections for several requests, and the gate.
#include <filesystem>
#include <fstream>

#include "test/imds/capture_fixture.hpp"

using nlohmann::json;

namespace {

const std::string host = "http://169.254.169.254";

std::string curl_agent() {
    static const std::string agent = [] {
        FILE* const version = popen("/usr/bin/curl --version", "r");
        char name[32] = "", number[32] = "";
        const int found = version ? fscanf(version, "%31s %31s", name, number) : 0;
        if (version)
            pclose(version);
        return found == 2 ? std::string(name) + '/' + number : "";
    }();
    return agent;
}

Expected plain_request(const std::string& path = instance, uint64_t size = sizeof "i-0123456789abcdef0" - 1) {
    Expected expected;
    expected.path = path;
    expected.user_agent = curl_agent();
    expected.received_body = size;
    expected.imds = {{"version", "v1"}, {"class", "instance"}, {"server", "EC2ws"}, {"content_length", size}};
    return expected;
}

class Curl : public Capture {
  protected:
    /// One process, which may fail.
    pid_t ask(const std::vector<std::string>& paths) {
        args_ = {"/usr/bin/curl", "-s", "--max-time", "10"};
        for (const std::string& path : paths)
            args_.insert(args_.end(), {"-o", "/dev/null", host + path});
        return network_.run(args_, {}, false).pid;
    }
    void expect_reported(const json& event, const Expected& expected, pid_t pid,
                         const std::vector<std::string>& args) const {
        expect_event(event, expected_request(expected, {pid, args[0], args}, network_, GetParam()));
    }

    std::vector<std::string> args_;
};
INSTANTIATE_TEST_SUITE_P(Tiers, Curl, testing::ValuesIn(tiers_here()), name_of_tier);

struct Misbehaviour {
    std::string name;
    int status;
    uint64_t body;
    json imds; ///< besides version and class
};

/// Bodies in chunks or until the end, in little pieces, cut off; and what is no answer.
TEST_P(Curl, OddAnswers) {
    const json server = {{"server", "EC2ws"}};
    const std::vector<Misbehaviour> all = {
        {"chunked", 200, 8, server},
        {"slow", 200, 4, {{"server", "EC2ws"}, {"content_length", 4}}},
        {"until-the-end", 200, 10, server},
        {"cut", 200, 10, {{"server", "EC2ws"}, {"content_length", 100}, {"incomplete", true}}},
        {"garbage", 0, 0, {{"end", "response_not_captured"}, {"uncertain", true}}},
        {"hangs-up", 0, 0, {{"end", "closed"}}},
    };
    std::vector<std::pair<pid_t, std::vector<std::string>>> ran;
    for (const Misbehaviour& one : all) {
        const pid_t pid = ask({"/latest/test/" + one.name});
        ran.emplace_back(pid, args_);
    }
    ASSERT_EQ(events().size(), all.size()) << tracker_.out();
    for (size_t i = 0; i < all.size(); i++) {
        SCOPED_TRACE(all[i].name);
        ASSERT_EQ(events_of(ran[i].first).size(), 1u);
        Expected expected = plain_request("/latest/test/" + all[i].name, all[i].body);
        expected.status = all[i].status;
        expected.mime = "";
        expected.imds = all[i].imds;
        expected.imds.update({{"version", "v1"}, {"class", "other"}});
        expect_reported(events_of(ran[i].first)[0], expected, ran[i].first, ran[i].second);
    }
}

/// A body far larger than what is captured of a call, and three requests on one connection.
TEST_P(Curl, LargeBodyAndKeepAlive) {
    const pid_t pid = ask({"/latest/user-data", instance, "/latest/test/chunked"});
    const auto& all = events();
    ASSERT_EQ(all.size(), 3u) << tracker_.out();
    Expected large = plain_request("/latest/user-data", metadata::user_data().size());
    large.mime = "application/octet-stream";
    large.imds["class"] = "user-data";
    Expected chunked = plain_request("/latest/test/chunked", 8);
    chunked.mime = "";
    chunked.imds["class"] = "other";
    chunked.imds.erase("content_length");
    expect_reported(all[0], large, pid, args_);
    expect_reported(all[1], plain_request(), pid, args_);
    expect_reported(all[2], chunked, pid, args_);
    EXPECT_EQ(all[0]["source"]["port"], all[1]["source"]["port"]);
    EXPECT_EQ(all[0]["source"]["port"], all[2]["source"]["port"]);
}

class Gate : public Capture {};
INSTANTIATE_TEST_SUITE_P(Tiers, Gate, testing::ValuesIn(tiers_here()), name_of_tier);

/// Calls that the kernel side has looked at.
uint64_t seen(const RunningProgram& program) {
    for (const json& summary : program.summaries())
        if (summary.contains("seen"))
            return summary["seen"];
    return 0;
}

const std::vector<std::string> many_calls = {"dd",   "if=/dev/zero", "of=/dev/null",
                                             "bs=1", "count=100000", "status=none"};

/// With no connection open, nothing is looked at: not before the first, nor after the last.
TEST_P(Gate, Shuts) {
    sleep(2);
    network_.run(many_calls);
    network_.run({"curl", "-sS", "-o", "/dev/null", host + instance});
    sleep(3);
    network_.run(many_calls);
    EXPECT_EQ(events().size(), 1u) << tracker_.out();
    EXPECT_LT(seen(tracker_), 60'000u);
}

/// With one open, even an idle one, everything is, and what comes over it is not missed.
TEST_P(Gate, StaysOpen) {
    const std::string script = "import socket, subprocess, sys, time\n"
                               "s = socket.create_connection(('169.254.169.254', 80))\n"
                               "time.sleep(3)\n"
                               "subprocess.run(sys.argv[1:], check=True)\n"
                               "s.sendall(b'GET " +
                               instance +
                               " HTTP/1.0\\r\\n\\r\\n')\n"
                               "while s.recv(100): pass\n";
    std::vector<std::string> command = {"/usr/bin/python3", "-c", script};
    command.insert(command.end(), many_calls.begin(), many_calls.end());
    network_.run(command);
    const std::vector<json>& all = events();
    ASSERT_EQ(all.size(), 1u) << tracker_.out();
    EXPECT_EQ(all[0]["url"]["path"], instance) << all[0];
    EXPECT_EQ(all[0]["http"]["response"]["status_code"], 200);
    EXPECT_GT(seen(tracker_), 200'000u);
}

/// ebpf_telemetry --imds: the same event, besides the calls that the rules select.
TEST(Telemetry, AddsToTheStream) {
    const TemporaryFolder folder;
    const std::string rules = folder.path() + "/rules";
    std::ofstream(rules) << "connect comm = curl\n";
    const MetadataNetwork network;
    const std::string config = usable_config();
    RunningProgram::Setting setting;
    setting.last = [&] {
        execl(TELEMETRY, TELEMETRY, "--imds", "-c", config.c_str(), "-f", "json", "-r", rules.c_str(),
              nullptr);
    };
    RunningProgram program({}, setting);
    ASSERT_TRUE(program.reports()) << program.err();
    const std::vector<std::string> args = {"/usr/bin/curl", "-sS", "-o", "/dev/null", host + instance};
    const pid_t pid = network.run(args).pid;
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0) << program.err();
    size_t calls = 0, requests = 0;
    json asked;
    for (const json& event : parsed(program.out())) {
        calls += event["event"]["action"] == "connection_attempted";
        if (event["event"]["action"] == "imds_request") {
            requests++;
            asked = event;
        }
    }
    EXPECT_GE(calls, 1u) << program.out();
    ASSERT_EQ(requests, 1u) << program.out();
    const std::string tier = asked["linux"]["telemetry"]["tier"];
    EXPECT_EQ(tier, tiers_here().back());
    expect_event(asked, expected_request(plain_request(), {pid, args[0], args}, network, tier));
    ASSERT_EQ(program.summaries().size(), 1u);
    EXPECT_EQ(program.summaries()[0]["imbalance"], 0);
    EXPECT_EQ(program.summaries()[0].value("http_helper_failures", -1), 0);
    EXPECT_TRUE(program.summaries()[0]["lost"].empty());
}

} // namespace
