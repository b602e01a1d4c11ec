// SPDX-License-Identifier: MIT
// Real clients, a metadata server in a network namespace, and the real program on this kernel.
#include <algorithm>

#include <gmock/gmock.h>

#include <ebpf_loader/probe.hpp>

#include "metadata_network.hpp"
#include "running_program.hpp"

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string host = "http://169.254.169.254";
const std::string instance = "/latest/meta-data/instance-id";
const std::string role = "/latest/meta-data/iam/security-credentials/test-role";

std::vector<json> parsed(const std::string& text) {
    std::vector<json> events;
    for (const std::string& line : lines_of(text))
        events.push_back(json::parse(line));
    return events;
}

class Capture : public testing::TestWithParam<std::string> {
  protected:
    Capture() { EXPECT_TRUE(tracker_.reports()) << tracker_.err(); }

    /// Ends the program and returns its events; nothing may be lost or left, and no secret told.
    std::vector<json> events() {
        // What has happened is captured; the rest is up to the buffers' time-out.
        tracker_.send(SIGTERM);
        EXPECT_EQ(tracker_.wait(), 0) << tracker_.err();
        const std::string out = tracker_.out();
        EXPECT_THAT(out, Not(HasSubstr("SECRET")));
        EXPECT_THAT(tracker_.err(), Not(HasSubstr("SECRET")));
        for (const json& summary : tracker_.summaries())
            if (summary.contains("seen")) {
                EXPECT_EQ(summary["imbalance"], 0) << summary;
                EXPECT_TRUE(summary["lost"].empty()) << summary;
            }
        return parsed(out);
    }

    std::string curl(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"curl", "-sS", "-g", "--max-time", "10"});
        return network_.run(arguments);
    }

    MetadataNetwork network_;
    RunningProgram tracker_{{"-c", usable_config(), "-f", "json", "--tier", GetParam()}};
};

std::string name_of(const testing::TestParamInfo<std::string>& tier) {
    return tier.param;
}

INSTANTIATE_TEST_SUITE_P(Tiers, Capture, testing::Values("tp", "raw_tp_sub4096", "raw_tp_noloops", "raw_tp"),
                         name_of);

/// What every event of one of our clients has to say.
void expect_common(const json& event, const MetadataNetwork& network) {
    EXPECT_EQ(event["event"]["action"], "imds_request") << event;
    EXPECT_EQ(event["linux"]["imds"]["netns"], network.inode());
    EXPECT_EQ(event["destination"]["port"], 80);
    EXPECT_EQ(event["http"]["response"]["status_code"], 200) << event;
    const json& ancestors = event["linux"]["process"]["ancestors"];
    EXPECT_TRUE(std::ranges::any_of(ancestors, [](const json& a) { return a["pid"] == getpid(); })) << event;
    EXPECT_TRUE(event["process"].contains("entity_id"));
}

TEST_P(Capture, VersionOneAndTwo) {
    EXPECT_EQ(curl({host + instance}), "i-0123456789abcdef0");
    const std::string token =
        curl({"-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", host + "/latest/api/token"});
    EXPECT_THAT(token, HasSubstr("SECRET"));
    EXPECT_THAT(curl({"-H", "X-aws-ec2-metadata-token: " + token, host + role}), HasSubstr("SECRET"));
    curl({"-H", "X-aws-ec2-metadata-token: " + token, "http://[fd00:ec2::254]" + instance});

    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 4u) << tracker_.out();
    const char* const versions[] = {"v1", "v2", "v2", "v2"};
    const char* const classes[] = {"instance", "token", "credentials", "instance"};
    const std::string paths[] = {instance, "/latest/api/token", role, instance};
    for (size_t i = 0; i < 4; i++) {
        expect_common(all[i], network_);
        EXPECT_EQ(all[i]["linux"]["imds"]["version"], versions[i]);
        EXPECT_EQ(all[i]["linux"]["imds"]["class"], classes[i]);
        EXPECT_EQ(all[i]["url"]["path"], paths[i]);
        EXPECT_EQ(all[i]["http"]["request"]["method"], i == 1 ? "PUT" : "GET");
        EXPECT_EQ(all[i]["process"]["name"], "curl");
        EXPECT_THAT(all[i]["process"]["executable"].get<std::string>(), HasSubstr("curl"));
        EXPECT_EQ(all[i]["cloud"]["provider"], "aws");
    }
    EXPECT_EQ(all[2]["linux"]["imds"]["access_key_id"], "ASIATESTACCESSKEY000");
    EXPECT_EQ(all[3]["destination"]["ip"], "fd00:ec2::254");
}

/// A body far larger than what is captured of a call, and two requests on one connection.
TEST_P(Capture, LargeBodyAndKeepAlive) {
    const std::string both = curl({host + "/latest/user-data", host + instance, host + "/latest/chunked"});
    EXPECT_THAT(both, HasSubstr("SECRET-user-data"));
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 3u) << tracker_.out();
    for (const json& event : all)
        expect_common(event, network_);
    EXPECT_EQ(all[0]["linux"]["imds"]["class"], "user-data");
    EXPECT_GT(all[0]["http"]["response"]["body"]["bytes"], 300'000);
    EXPECT_EQ(all[1]["url"]["path"], instance);
    EXPECT_EQ(all[2]["url"]["path"], "/latest/chunked");
    EXPECT_EQ(all[0]["source"]["port"], all[1]["source"]["port"]);
}

TEST_P(Capture, OtherProviders) {
    const std::string google = "/computeMetadata/v1/instance/service-accounts/default/token";
    const std::string azure = "/metadata/identity/oauth2/token";
    EXPECT_THAT(curl({"-H", "Metadata-Flavor: Google", host + google}), HasSubstr("SECRET"));
    EXPECT_THAT(curl({"-H", "Metadata: true", host + azure + "?resource=https://management.azure.com/"}),
                HasSubstr("SECRET"));
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 2u) << tracker_.out();
    EXPECT_EQ(all[0]["cloud"]["provider"], "gcp") << all[0];
    EXPECT_EQ(all[1]["cloud"]["provider"], "azure") << all[1];
    for (const json& event : all) {
        expect_common(event, network_);
        EXPECT_THAT(event["linux"]["imds"]["class"], testing::AnyOf("credentials", "identity", "token"));
    }
}

TEST_P(Capture, Python) {
    const std::string script =
        "import urllib.request as r; print(r.urlopen('" + host + instance + "').read())";
    EXPECT_THAT(network_.run({"python3", "-c", script}), HasSubstr("i-0123456789abcdef0"));
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 1u) << tracker_.out();
    expect_common(all[0], network_);
    EXPECT_THAT(all[0]["user_agent"]["original"].get<std::string>(), testing::StartsWith("Python-urllib"));
}

/// Each way to move bytes, for programs of 64 and of 32 bits. What goes through no memory of
/// the program's is a connection without a request that can be told.
TEST_P(Capture, EveryCall) {
    const std::vector<std::string> calls = {"bytewise", "writev", "sendmsg", "sendmmsg", "child",
                                            "threads",  "ipv6",   "mapped",  "sendfile", "splice"};
    for (const std::string& call : calls)
        for (const char* client : {CLIENT, CLIENT32})
            network_.run({client, "GET", instance, call});
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 2 * calls.size()) << tracker_.out();
    for (size_t i = 0; i < all.size(); i++) {
        SCOPED_TRACE(calls[i / 2] + (i % 2 ? " 32" : " 64"));
        expect_common(all[i], network_);
        if (calls[i / 2] == "sendfile" || calls[i / 2] == "splice") {
            EXPECT_FALSE(all[i].contains("url")) << all[i];
            EXPECT_EQ(all[i]["linux"]["imds"]["version"], "unknown");
            continue;
        }
        EXPECT_EQ(all[i]["url"]["path"], instance) << all[i];
        EXPECT_EQ(all[i]["user_agent"]["original"], calls[i / 2]);
        EXPECT_EQ(all[i]["linux"]["imds"]["version"], "v1");
    }
}

/// Calls that the kernel side has looked at.
uint64_t seen(const RunningProgram& program) {
    for (const json& summary : program.summaries())
        if (summary.contains("seen"))
            return summary["seen"];
    return 0;
}

const std::vector<std::string> many_calls = {"dd",   "if=/dev/zero", "of=/dev/null",
                                             "bs=1", "count=20000",  "status=none"};

/// With no connection open, nothing is looked at: not before the first, nor after the last.
TEST_P(Capture, GateShuts) {
    sleep(2);
    network_.run(many_calls);
    curl({host + instance});
    sleep(3);
    network_.run(many_calls);
    EXPECT_EQ(events().size(), 1u) << tracker_.out();
    EXPECT_LT(seen(tracker_), 10'000u);
}

/// With one open, even an idle one, everything is, and what comes over it is not missed.
TEST_P(Capture, GateStaysOpen) {
    const std::string script = "import socket, subprocess, sys, time\n"
                               "s = socket.create_connection(('169.254.169.254', 80))\n"
                               "time.sleep(3)\n"
                               "subprocess.run(sys.argv[1:], check=True)\n"
                               "s.sendall(b'GET " +
                               instance +
                               " HTTP/1.0\\r\\n\\r\\n')\n"
                               "while s.recv(100): pass\n";
    std::vector<std::string> command = {"python3", "-c", script};
    command.insert(command.end(), many_calls.begin(), many_calls.end());
    network_.run(command);
    const std::vector<json> all = events();
    ASSERT_EQ(all.size(), 1u) << tracker_.out();
    expect_common(all[0], network_);
    EXPECT_EQ(all[0]["url"]["path"], instance);
    EXPECT_GT(seen(tracker_), 40'000u);
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
    network.run({"curl", "-sS", host + instance});
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 0) << program.err();
    size_t calls = 0, requests = 0;
    for (const json& event : parsed(program.out())) {
        calls += event["event"]["action"] == "connect";
        if (event["event"]["action"] == "imds_request") {
            requests++;
            expect_common(event, network);
            EXPECT_EQ(event["url"]["path"], instance);
        }
    }
    EXPECT_GE(calls, 1u) << program.out();
    EXPECT_EQ(requests, 1u) << program.out();
    ASSERT_EQ(program.summaries().size(), 1u);
    EXPECT_EQ(program.summaries()[0]["imbalance"], 0);
    EXPECT_TRUE(program.summaries()[0]["lost"].empty());
}

} // namespace
