// SPDX-License-Identifier: MIT
// Secrets in what processes say of themselves: command lines, their own and their ancestors'.
#include "imds/judge/scrubber.hpp"

#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string token = "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=";

std::string scrubbed(const std::string& text) {
    return Scrubber().scrubbed(text);
}

} // namespace

TEST(ImdsScrubber, ByTheNamesThatStandBefore) {
    EXPECT_EQ(scrubbed("X-aws-ec2-metadata-token: abc"), "X-aws-ec2-metadata-token: <redacted:3>");
    EXPECT_EQ(scrubbed("-Hx-AWS-ec2-Metadata-Token:abc"), "-Hx-AWS-ec2-Metadata-Token:<redacted:3>");
    EXPECT_EQ(scrubbed("curl -H 'X-aws-ec2-metadata-token: abc' http://x/"),
              "curl -H 'X-aws-ec2-metadata-token: <redacted:3>' http://x/");
    EXPECT_EQ(scrubbed("{\"X-aws-ec2-metadata-token\": \"abc\"}"),
              "{\"X-aws-ec2-metadata-token\": \"<redacted:3>\"}");
    EXPECT_EQ(scrubbed("X-aws-ec2-metadata-token-ttl-seconds: 60"),
              "X-aws-ec2-metadata-token-ttl-seconds: 60");
    EXPECT_EQ(scrubbed("Authorization: Bearer abc"), "Authorization: <redacted:10>");
    EXPECT_EQ(scrubbed("AWS_SECRET_ACCESS_KEY=abc"), "AWS_SECRET_ACCESS_KEY=<redacted:3>");
    EXPECT_EQ(scrubbed("http://169.254.170.2/v2/credentials/abc"),
              "http://169.254.170.2/v2/credentials/<redacted:3>");
    EXPECT_EQ(scrubbed("get /v2/credentials/abc now"), "get /v2/credentials/<redacted:3> now");
    EXPECT_EQ(scrubbed("http://169.254.169.254/latest/meta-data/iam/security-credentials/web"),
              "http://169.254.169.254/latest/meta-data/iam/security-credentials/web");
    EXPECT_EQ(scrubbed("X-aws-ec2-metadata-token"), "X-aws-ec2-metadata-token");
    EXPECT_EQ(scrubbed(""), "");
}

TEST(ImdsScrubber, ByWhatWentOverTheWire) {
    Scrubber scrubber;
    scrubber.learn(" " + token + "\n");
    scrubber.learn("short");
    scrubber.learn_body(
        R"({"Code":"Success-and-more","AccessKeyId":"ASIAEXAMPLEKEY","SecretAccessKey":"0123456789abcdef",)"
        R"("nested":{"x":["fedcba9876543210"]},"Token":"cut off here)");
    EXPECT_EQ(scrubber.size(), 4U);
    EXPECT_EQ(scrubber.scrubbed("a" + token + "b" + token), "a<redacted:32>b<redacted:32>");
    EXPECT_EQ(scrubber.scrubbed("0123456789abcdef fedcba9876543210 cut off here"),
              "<redacted:16> <redacted:16> <redacted:12>");
    EXPECT_EQ(scrubber.scrubbed("ASIAEXAMPLEKEY Success-and-more short"),
              "ASIAEXAMPLEKEY Success-and-more short");
}

TEST(ImdsScrubber, IsBounded) {
    Scrubber scrubber;
    for (int i = 0; i < 10'000; ++i)
        scrubber.learn("a secret of some length " + std::to_string(i));
    EXPECT_EQ(scrubber.size(), Scrubber::most);
    EXPECT_THAT(scrubber.scrubbed("a secret of some length 9999"), HasSubstr("<redacted"));
}

TEST(ImdsScrubber, CommandLinesOfCallerAndAncestors) {
    Scene scene;
    const std::string parent_argv =
        samples::string_list({"sh", "-c", "curl -H \"X-aws-ec2-metadata-token: " + token + "\" http://x"});
    Event parent = samples::event(EBT_EXEC);
    parent.pid = parent.tid = 4200;
    parent.image.argv = samples::known<telemetry::StringList>(parent_argv);
    scene.tracker.take(parent);
    Event fork = parent;
    fork.kind = EBT_FORK;
    fork.child_pid = scene.process.pid;
    fork.child_start_time_ns = scene.process.start_time_ns;
    fork.child_status = telemetry::Status::ok;
    scene.tracker.take(fork);
    // A name that nothing tells, but the token went over the wire.
    const std::string argv = samples::string_list({"fetch", "--with", token});
    scene.process.image.argv = samples::known<telemetry::StringList>(argv);
    scene.ask("GET /latest/meta-data/", "X-aws-ec2-metadata-token: " + token + "\r\n", ec2("x"));
    EXPECT_THAT(scene.json_lines, Not(HasSubstr(token)));
    EXPECT_THAT(scene.text_lines, Not(HasSubstr(token)));
    const json made = scene.only_json();
    EXPECT_EQ(made["process"]["args"], (json{"fetch", "--with", "<redacted:32>"}));
    EXPECT_EQ(made["process"]["parent"]["args"][2],
              "curl -H \"X-aws-ec2-metadata-token: <redacted:32>\" http://x");
    EXPECT_EQ(made["linux"]["process"]["ancestors"][0]["pid"], 4200);
}

TEST(ImdsScrubber, AUserAgentThatRepeatsTheToken) {
    Scene scene;
    scene.send("GET /latest/meta-data/" + token + " HTTP/1.1\r\nHost: x\r\nUser-Agent: " + token +
               "\r\nX-aws-ec2-metadata-token: " + token + "\r\n\r\n");
    scene.receive(ec2("x"));
    EXPECT_THAT(scene.json_lines + scene.text_lines, Not(HasSubstr(token)));
}
