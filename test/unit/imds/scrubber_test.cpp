// SPDX-License-Identifier: MIT
// Secrets in what processes say of themselves: command lines, their own and their ancestors'.
#include "imds/judge/scrubber.hpp"

#include <chrono>
#include <ctime>

#include "imds/judge/body_fields.hpp"
#include "test/unit/imds/imds_support.hpp"

using namespace imds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string learnt_token = "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=";

constexpr uint32_t here = 4026531840, elsewhere = 4026532000;

std::string scrubbed(const std::string& text) {
    return Scrubber().scrubbed(here, text);
}

void learn_body(Scrubber& scrubber, std::string_view body) {
    for (const std::string& secret : find_secrets(body))
        scrubber.learn(here, secret);
}

/// What learning a secret makes of a text in which it stands.
bool is_learned(const std::string& secret) {
    Scrubber scrubber;
    scrubber.learn(here, secret);
    return scrubber.scrubbed(here, "run " + secret + " x") ==
           "run <redacted:" + std::to_string(secret.size()) + "> x";
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
    scrubber.learn(here, " " + learnt_token + "\n");
    scrubber.learn(here, "Sh0rt");
    learn_body(
        scrubber,
        R"({"Code":"Success-and-more","AccessKeyId":"ASIAEXAMPLEKEY","SecretAccessKey":"0123456789abcdef",)"
        R"("nested":{"x":["fedcba9876543210"]},"Token":"IQoJb3JpCutOff)");
    EXPECT_EQ(scrubber.size(), 4U);
    EXPECT_EQ(scrubber.scrubbed(here, "a" + learnt_token + "b" + learnt_token),
              "a<redacted:32>b<redacted:32>");
    EXPECT_EQ(scrubber.scrubbed(here, "0123456789abcdef fedcba9876543210 IQoJb3JpCutOff"),
              "<redacted:16> <redacted:16> <redacted:14>");
    EXPECT_EQ(scrubber.scrubbed(here, "ASIAEXAMPLEKEY Success-and-more Sh0rt"),
              "ASIAEXAMPLEKEY Success-and-more Sh0rt");
}

TEST(ImdsScrubber, IsBounded) {
    Scrubber scrubber;
    for (int i = 0; i < 10'000; ++i)
        scrubber.learn(here, "A-secret-of-some-length-" + std::to_string(i));
    EXPECT_EQ(scrubber.size(), Scrubber::most);
    EXPECT_THAT(scrubber.scrubbed(here, "A-secret-of-some-length-9999"), HasSubstr("<redacted"));
    EXPECT_EQ(scrubber.scrubbed(here, "A-secret-of-some-length-9"), "A-secret-of-some-length-9");
}

TEST(ImdsScrubber, InTheNetworkNamespaceAlone) {
    Scrubber scrubber;
    scrubber.learn(elsewhere, "Poison-4-command-lines");
    scrubber.learn(here, learnt_token);
    EXPECT_EQ(scrubber.scrubbed(here, "run Poison-4-command-lines " + learnt_token),
              "run Poison-4-command-lines <redacted:32>");
    EXPECT_EQ(scrubber.scrubbed(elsewhere, "run Poison-4-command-lines " + learnt_token),
              "run <redacted:22> " + learnt_token);
}

TEST(ImdsScrubber, NamespacesAreBoundedAndTheMachinesOwnStays) {
    Scrubber scrubber(here);
    scrubber.learn(here, learnt_token);
    for (uint32_t netns = 1; netns < 1000; ++netns)
        scrubber.learn(netns, "Secret-of-this-one-" + std::to_string(netns));
    EXPECT_LE(scrubber.namespaces(), Scrubber::most_namespaces);
    EXPECT_EQ(scrubber.scrubbed(here, learnt_token), "<redacted:32>");
    EXPECT_EQ(scrubber.scrubbed(999, "Secret-of-this-one-999"), "<redacted:22>");
    for (uint32_t netns = 1; netns < 1000; ++netns)
        for (int i = 0; i < 4; ++i)
            scrubber.learn(netns, std::string(SecretSet::longest - 8, 'X') + std::to_string(10'000 + i));
    EXPECT_LE(scrubber.size() * SecretSet::longest, Scrubber::most_bytes + SecretSet::longest);
    EXPECT_EQ(scrubber.scrubbed(here, learnt_token), "<redacted:32>");
}

TEST(ImdsScrubber, OnlyWhatLooksLikeAToken) {
    for (const char* secret :
         {"AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "/tnFEMI/K7MDENG0",
          "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "ya29.c.b0AXv0zTPabc_def-123",
          "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"})
        EXPECT_TRUE(is_learned(secret)) << secret;
    for (const char* word :
         {"/usr/bin/python3.11", "python3-evil-stage-two", "curl -s http://Evil.example/x",
          "my-service-account", "arn:aws:iam::123456789012:instance-profile/Web", "2026-11-22T06:00:00Z",
          "192.168.100.200", "1234567890123456", "http://Evil.example/x", "rm;-rf;/;A1b2"})
        EXPECT_FALSE(is_learned(word)) << word;
}

TEST(ImdsScrubber, SecretsThatJsonEscaped) {
    Scrubber scrubber;
    learn_body(scrubber, R"({"SecretAccessKey":"wJalr\/XUtn\u002fEM\u004dI","Token":"IQoJ\u00"})");
    EXPECT_EQ(scrubber.scrubbed(here, "wJalr/XUtn/EMMI"), "<redacted:15>");
    EXPECT_EQ(scrubber.size(), 1U);
}

TEST(ImdsScrubber, SecretsThatOverlapAreHiddenWhole) {
    Scrubber scrubber;
    scrubber.learn(here, "Abcdefgh12345678");
    scrubber.learn(here, "12345678ijklmnoP");
    scrubber.learn(here, "AAAAAAAAAAAAAAA1");
    EXPECT_EQ(scrubber.scrubbed(here, "x Abcdefgh12345678ijklmnoP y"), "x <redacted:24> y");
    EXPECT_EQ(scrubber.scrubbed(here, "Abcdefgh12345678Abcdefgh12345678"), "<redacted:16><redacted:16>");
    EXPECT_EQ(scrubber.scrubbed(here, "AAAAAAAAAAAAAAAAAAAAA1AAAAAAAAAAAAAAA"),
              "AAAAAA<redacted:16>AAAAAAAAAAAAAAA");
}

std::chrono::nanoseconds cpu_time() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// 256 secrets of 8 KiB with the same end, and a text that is all ends.
TEST(ImdsScrubber, TheWorkIsBounded) {
    Scrubber scrubber;
    for (size_t i = 0; i < SecretSet::most; ++i)
        scrubber.learn(here, std::to_string(1000 + i) + std::string(SecretSet::longest - 4 - i, 'A'));
    ASSERT_EQ(scrubber.size(), SecretSet::most);
    const std::string text(1 << 15, 'A');
    const auto begin = cpu_time();
    for (int i = 0; i < 10; ++i) {
        scrubber.begin();
        const std::string clean = scrubber.scrubbed(here, text);
        EXPECT_EQ(clean, "<redacted:32768>") << "what could not be searched is hidden";
        EXPECT_EQ(scrubber.scrubbed(here, "short and plain"), "short and plain");
    }
    EXPECT_LT(cpu_time() - begin, std::chrono::seconds(5)) << "it was minutes";
    scrubber.begin();
    scrubber.learn(here, "Plain-Secret-1234");
    EXPECT_EQ(scrubber.scrubbed(here, "x Plain-Secret-1234"), "x <redacted:17>");
}

TEST(ImdsScrubber, CommandLinesOfCallerAndAncestors) {
    SimulatedConnection simulated;
    const std::string parent_argv = samples::string_list(
        {"sh", "-c", "curl -H \"X-aws-ec2-metadata-token: " + learnt_token + "\" http://x"});
    Event parent = samples::event(EBT_EXEC);
    parent.pid = parent.tid = 4200;
    parent.image.argv = samples::known<telemetry::StringList>(parent_argv);
    simulated.tracker.take(parent);
    Event fork = parent;
    fork.kind = EBT_FORK;
    fork.child_pid = simulated.process.pid;
    fork.child_start_time_ns = simulated.process.start_time_ns;
    fork.child_status = telemetry::Status::ok;
    simulated.tracker.take(fork);
    // A name that nothing tells, but the token went over the wire.
    const std::string argv = samples::string_list({"fetch", "--with", learnt_token});
    simulated.process.image.argv = samples::known<telemetry::StringList>(argv);
    simulated.ask("GET /latest/meta-data/", "X-aws-ec2-metadata-token: " + learnt_token + "\r\n", ec2("x"));
    EXPECT_THAT(simulated.json_lines, Not(HasSubstr(learnt_token)));
    EXPECT_THAT(simulated.text_lines, Not(HasSubstr(learnt_token)));
    const json made = simulated.only_json();
    EXPECT_EQ(made["process"]["args"], (json{"fetch", "--with", "<redacted:32>"}));
    EXPECT_EQ(made["process"]["parent"]["args"][2],
              "curl -H \"X-aws-ec2-metadata-token: <redacted:32>\" http://x");
    EXPECT_EQ(made["linux"]["process"]["ancestors"][0]["pid"], 4200);
}

TEST(ImdsScrubber, AUserAgentThatRepeatsTheToken) {
    SimulatedConnection simulated;
    simulated.send("GET /latest/meta-data/" + learnt_token + " HTTP/1.1\r\nHost: x\r\nUser-Agent: " +
                   learnt_token + "\r\nX-aws-ec2-metadata-token: " + learnt_token + "\r\n\r\n");
    simulated.receive(ec2("x"));
    EXPECT_THAT(simulated.json_lines + simulated.text_lines, Not(HasSubstr(learnt_token)));
}
