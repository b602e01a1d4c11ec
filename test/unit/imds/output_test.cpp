// SPDX-License-Identifier: MIT
// What people and machines read: whole lines, escapes, colours, the table of services.
#include "test/unit/imds/imds_support.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "test/unit/support/audit_records.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace imds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string text_with_colour(const ImdsEvent& event) {
    std::string out;
    make_imds_text_formatter({samples::context(), true, {}})->format(event, out);
    return out;
}

void expect_clean(const std::string& lines, size_t count) {
    EXPECT_EQ(static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n')), count);
    for (const char c : lines)
        ASSERT_TRUE(c == '\n' || (static_cast<uint8_t>(c) >= 0x20 && c != 0x7f)) << lines;
}

} // namespace

TEST(ImdsText, WholeLine) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/iam/security-credentials/web?x=1", "",
                  ec2(R"({"AccessKeyId":"ASIA1"})"));
    EXPECT_EQ(
        simulated.text_lines,
        "2025-11-21T21:16:05.001000000Z v1 credentials aws GET "
        "\"http://169.254.169.254/latest/meta-data/iam/security-credentials/web?<redacted:3>\" 200 1.000ms "
        "process=\"cat[4242]\" pid=4242 exe=\"/usr/bin/cat\" uid=1000 access_key_id=\"ASIA1\" "
        "user_agent=\"curl/7.88.1\" server=\"EC2ws\" bytes=23\n");
}

TEST(ImdsText, V1AndCredentialsStandOut) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/iam/security-credentials/web", "", ec2("{}"));
    simulated.ask("GET /latest/meta-data/ami-id", "X-aws-ec2-metadata-token: x\r\n", ec2("x"));
    ASSERT_EQ(simulated.events.size(), 2U);
    EXPECT_THAT(text_with_colour(simulated.events[0]),
                HasSubstr("\x1b[1;31mv1\x1b[0m \x1b[1;33mcredentials\x1b[0m aws"));
    EXPECT_THAT(text_with_colour(simulated.events[1]), HasSubstr("\x1b[32mv2\x1b[0m instance aws"));
    EXPECT_THAT(simulated.text_lines, Not(HasSubstr("\x1b")));
}

TEST(ImdsJson, WholeObject) {
    SimulatedConnection simulated;
    simulated.ask("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n",
                  ec2("0123456789012345"));
    const json made = simulated.only_json();
    EXPECT_EQ(made["@timestamp"], "2025-11-21T21:16:05.001000000Z");
    EXPECT_EQ(made["event"]["action"], "imds_request");
    EXPECT_EQ(made["event"]["outcome"], "success");
    EXPECT_EQ(made["event"]["duration"], 1'000'000);
    EXPECT_EQ(made["cloud"]["provider"], "aws");
    EXPECT_EQ(made["url"], (json{{"original", "/latest/api/token"},
                                 {"scheme", "http"},
                                 {"domain", "169.254.169.254"},
                                 {"port", 80},
                                 {"path", "/latest/api/token"}}));
    EXPECT_EQ(made["http"]["request"], (json{{"method", "PUT"}, {"body", {{"bytes", 0}}}}));
    EXPECT_EQ(made["http"]["response"],
              (json{{"status_code", 200}, {"mime_type", "text/plain"}, {"body", {{"bytes", 16}}}}));
    EXPECT_EQ(made["user_agent"]["original"], "curl/7.88.1");
    EXPECT_EQ(made["destination"]["ip"], "169.254.169.254");
    EXPECT_EQ(made["source"]["port"], 40000);
    EXPECT_EQ(made["network"]["transport"], "tcp");
    EXPECT_EQ(made["process"]["pid"], 4242);
    EXPECT_EQ(made["process"]["entity_id"], "6a3d3e1c-0e0b-4242-59000000123");
    EXPECT_EQ(made["process"]["parent"]["pid"], 4200);
    EXPECT_EQ(made["process"]["executable"], "/usr/bin/cat");
    EXPECT_EQ(made["user"]["id"], "1000");
    EXPECT_EQ(made["linux"]["imds"], (json{{"provider", "aws"},
                                           {"version", "v2"},
                                           {"class", "token"},
                                           {"server", "EC2ws"},
                                           {"content_length", 16},
                                           {"netns", "4026531840"}}));
    EXPECT_EQ(made["linux"]["telemetry"]["tier"], "raw_tp");
}

TEST(ImdsJson, TheAmazonServicesForContainers) {
    SimulatedConnection simulated;
    simulated.ends = ends_to("169.254.170.2");
    simulated.ask("GET /v2/credentials/0123456789", "", response("403 Forbidden", "", "no"));
    const json made = simulated.only_json();
    EXPECT_EQ(made["cloud"], (json{{"provider", "aws"}, {"service", {{"name", "ecs"}}}}));
    EXPECT_EQ(made["url"]["path"], "/v2/credentials/<redacted:10>");
    EXPECT_EQ(made["event"]["outcome"], "failure");
}

TEST(ImdsJson, AConnection) {
    SimulatedConnection simulated;
    simulated.hole(Direction::sent, 10);
    simulated.close();
    const json made = simulated.only_json();
    EXPECT_EQ(made["event"]["action"], "imds_connection");
    EXPECT_EQ(made["linux"]["imds"]["connection"],
              (json{{"content", "not_captured"}, {"sent", 10}, {"received", 0}}));
    EXPECT_FALSE(made.contains("http"));
    EXPECT_FALSE(made.contains("url"));
}

TEST(ImdsOutput, HostileBytesAreEscaped) {
    size_t count = 0;
    for (const std::string& bytes : samples::hostile_strings()) {
        SimulatedConnection simulated;
        std::string header = bytes;
        std::erase_if(header, [](char c) { return c == '\n'; });
        const std::string argv = samples::string_list({bytes, "x"});
        simulated.process.comm = std::string_view(bytes).substr(0, 15);
        simulated.process.image.exe.bytes = bytes;
        simulated.process.cwd.bytes = bytes;
        simulated.process.image.argv = samples::known<telemetry::StringList>(argv);
        std::string request = "GET /latest/meta-data/";
        for (const char* const next : {" HTTP/1.1\r\nHost: ", "\r\nUser-Agent: ", "\r\nX: ", "\r\n\r\n"})
            request.append(header).append(next);
        simulated.send(request);
        std::string answer = "HTTP/1.1 200 OK\r\nServer: ";
        for (const char* const next : {"\r\nContent-Type: ", "\r\nContent-Length: 0\r\n\r\n"})
            answer.append(header).append(next);
        simulated.receive(answer);
        simulated.close();
        ASSERT_GE(simulated.events.size(), 1U);
        expect_clean(simulated.text_lines, simulated.events.size());
        expect_clean(simulated.json_lines, simulated.events.size());
        expect_clean(simulated.summary.json(), 1);
        for (size_t at = 0; at < simulated.json_lines.size();) {
            const size_t end = simulated.json_lines.find('\n', at);
            const json made = json::parse(simulated.json_lines.substr(at, end - at));
            count += made["linux"]["telemetry"].contains("raw");
            at = end + 1;
        }
    }
    EXPECT_GT(count, 5U); // bytes that are no UTF-8 are reported in full
}

TEST(ImdsOutput, WithoutAProcess) {
    SimulatedConnection simulated;
    Transfer segment = simulated.segment(Direction::sent, "");
    const std::string asked = request("GET /latest/user-data");
    segment.bytes = bytes_of(asked);
    segment.length = asked.size();
    segment.process = nullptr;
    simulated.tracker.take(segment);
    simulated.close();
    const json made = simulated.only_json();
    EXPECT_EQ(made["process"], (json{{"pid", 4242}, {"thread", {{"id", 4242}}}}));
    EXPECT_THAT(simulated.text_lines, HasSubstr("process=\"?[4242]\""));
}

TEST(ImdsOutput, FactsOfProcAreTaken) {
    TemporaryFolder proc;
    ImdsTracker::Options options = SimulatedConnection::in_order();
    options.proc_root = proc.path();
    SimulatedConnection simulated(std::move(options));
    const std::filesystem::path process = proc.path() + "/" + std::to_string(simulated.process.pid);
    const uint64_t ticks_per_s = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    std::filesystem::create_directories(process / "ns");
    std::filesystem::create_symlink("net:[4026531999]", process / "ns/net");
    std::ofstream(process / "stat") << "4242 (cat) S 1 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 "
                                    << simulated.process.start_time_ns / (1'000'000'000 / ticks_per_s)
                                    << " 0\n";
    const std::string pod = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    std::ofstream(process / "cgroup")
        << "0::/kubepods/pod" + pod + "/docker-" << std::string(64, 'a') << ".scope\n";
    std::ofstream(process / "status") << "CapInh:\t0\nCapPrm:\t0\nCapEff:\t3fff\nCapBnd:\t0\n";
    simulated.send(request("GET /latest/user-data"));
    simulated.close();
    const json made = simulated.only_json();
    EXPECT_EQ(made["container"], (json{{"id", std::string(64, 'a')}, {"runtime", "docker"}}));
    EXPECT_EQ(made["orchestrator"],
              (json{{"type", "kubernetes"}, {"resource", {{"type", "pod"}, {"id", pod}}}}));
    EXPECT_EQ(made["kubernetes"]["pod"]["uid"], pod);
    EXPECT_EQ(made["linux"]["process"]["capabilities"]["effective"], "0x3fff");
    EXPECT_EQ(made["linux"]["process"]["namespaces"], (json{{"net", "4026531999"}}));
    EXPECT_THAT(simulated.text_lines, HasSubstr("container=\"aaaaaaaaaaaa\" runtime=\"docker\""));
}

TEST(ImdsSummary, WhoMustMigrate) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/meta-data/", "", ec2("x"));
    simulated.ask("GET /latest/meta-data/iam/security-credentials/web", "", ec2("{}"));
    simulated.process.image.exe.bytes = "/usr/bin/good\n";
    simulated.ask("GET /latest/meta-data/", "X-aws-ec2-metadata-token: x\r\n", ec2("x"));
    simulated.socket = 78;
    simulated.connect();
    simulated.close();
    EXPECT_EQ(simulated.summary.text(),
              "      v1       v2    other  credentials  unknown  container     executable\n"
              "       2        0        0            1        0  -             /usr/bin/cat\n"
              "       0        1        0            0        1  -             /usr/bin/good\\n\n"
              "1 service uses IMDSv1\n");
    EXPECT_EQ(json::parse(simulated.summary.json().substr(0, simulated.summary.json().find('\n')))["v1"], 2);
}

TEST(ImdsSummary, IsBounded) {
    SimulatedConnection simulated;
    for (size_t i = 0; i < ImdsSummary::most_rows + 500; ++i) {
        const std::string name = "/bin/" + std::to_string(i);
        simulated.process.image.exe.bytes = name;
        simulated.ask("GET /latest/meta-data/", "", ec2("x"));
    }
    EXPECT_EQ(simulated.summary.rows().size(), ImdsSummary::most_rows + 1);
    EXPECT_THAT(simulated.summary.text(),
                HasSubstr("     500        0        0            0        0  -             (all others)"));
}

TEST(ImdsJson, HasTheUsersName) {
    TemporaryFolder folder;
    std::ofstream(folder.path() + "/passwd")
        << "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nother:x:1000:1::/"
           ":\n:x:5:5\nbad\nbad:x:no:1\n";
    SimulatedConnection simulated;
    simulated.ask("GET /latest/user-data", "", ec2("x"));
    telemetry::FormatContext context = samples::context();
    context.accounts = std::make_shared<const telemetry::AccountFiles>(folder.path());
    std::string out;
    make_imds_json_formatter({context, false, {}})->format(simulated.only(), out);
    EXPECT_EQ(json::parse(out)["user"]["name"], "ann");
}

TEST(ImdsAudit, ARequestIsARecordWithItsLine) {
    SimulatedConnection simulated;
    simulated.ask("GET /latest/user-data", "", ec2("x"));
    std::string out;
    make_imds_formatter(telemetry::format_named("audit"), {samples::context(), false, {}})
        ->format(simulated.only(), out);
    const audit_records::Record record = audit_records::parse(out).front();
    EXPECT_EQ(record.type, "TRUSTED_APP");
    EXPECT_EQ(record.stamp.substr(0, 15), "1763759765.001:");
    EXPECT_EQ(audit_records::bytes_of(record.field("data")) + '\n', simulated.text_lines);
}
