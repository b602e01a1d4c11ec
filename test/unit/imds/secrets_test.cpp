// SPDX-License-Identifier: MIT
// Nothing secret comes out: not whole, not cut, not in any format, whatever the bytes look like.
#include "test/unit/imds/imds_support.hpp"

#include <type_traits>

#include "imds/judge/body_fields.hpp"
#include "imds/judge/redaction.hpp"

using namespace imds_test;
using testing::HasSubstr;

// SharedCaller type: a secret turns into nothing that could be printed, and nobody can make the right to read
// it.
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_default_constructible_v<SecretAccess>);
static_assert(!std::is_default_constructible_v<UnsafeView>);
static_assert(!std::is_constructible_v<PublicText, std::string>);

namespace {

const std::vector<std::string> secrets = {
    "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRETKEY", // a secret access key
    "IQoJb3JpZ2luX2VjEAsaCXVzLWVhc3QtMSJSESSION",   "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4tU0VDUkVU",
    "eyJhbGciOiJSUzI1NiJ9.SECRETPAYLOAD.SIGNATURE", "hunter2-correct-horse-battery-SECRET",
    "0f1e2d3c-4b5a-6978-8796-SECRETUUID01",         "s3cr3t-query-value",
};

/// Every piece of it that is long enough to mean something.
void expect_none(const std::string& out, const std::string& what) {
    constexpr size_t piece = 8;
    for (const std::string& secret : secrets)
        for (size_t at = 0; at + piece <= secret.size(); ++at)
            ASSERT_EQ(out.find(secret.substr(at, piece)), out.npos) << what << "\n" << out;
}

struct Talk {
    const char* address;
    std::string asked;
    std::string answered;
};

std::vector<Talk> talks() {
    const auto& s = secrets;
    const std::string credentials =
        R"({"Code" : "Success", "Type" : "AWS-HMAC", "AccessKeyId" : "ASIAEXAMPLE",)"
        "\n"
        R"("SecretAccessKey" : ")" +
        s[0] + R"(", "Token" : ")" + s[1] + R"(", "Expiration" : "2026-11-22T06:00:00Z"})";
    const std::string oauth =
        R"({"access_token":")" + s[3] + R"(","refresh_token":")" + s[1] +
        R"(","expires_in":3599,"token_type":"Bearer","resource":"https://vault.azure.net"})";
    return {
        {"169.254.169.254", request("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n"),
         ec2(s[2])},
        {"169.254.169.254",
         request("GET /latest/meta-data/iam/security-credentials/web",
                 "X-aws-ec2-metadata-token: " + s[2] + "\r\n"),
         ec2(credentials)},
        {"169.254.169.254", request("GET /latest/user-data?x=" + s[6]),
         ec2("#!/bin/sh\nexport AccessKeyId=" + s[4] + "\n")},
        {"169.254.169.254", request("GET /latest/user-data"), ec2(R"({"AccessKeyId":")" + s[4] + "\"}")},
        {"169.254.169.254",
         request("GET http://user:" + s[4] + "@169.254.169.254/latest/?" + s[6] + "#" + s[6]), ec2("")},
        {"169.254.170.2", request("GET /v2/credentials/" + s[5], "Authorization: " + s[3] + "\r\n"),
         ec2(credentials)},
        {"169.254.170.2", request("GET /v4/" + s[5] + "/task"), ec2("")},
        {"169.254.170.2", request("GET /v2/%63redentials%2f" + s[5] + "/more"), ec2(credentials)},
        {"169.254.169.254", request("GET /v2/credentials;a=b/" + s[5]), ec2(credentials)},
        {"169.254.169.254", request("GET /v2//CREDENTIALS/" + s[5]), ec2(credentials)},
        {"169.254.169.254", request("GET /latest/meta-data/x;token=" + s[6]), ec2("")},
        {"169.254.169.254",
         request("GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=" + s[6] + "&" + s[6] +
                     "=1",
                 "Metadata: true\r\n"),
         response("200 OK", "Server: IMDS/1\r\n", oauth)},
        {"169.254.169.254",
         request("GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=" + s[6],
                 "Metadata-Flavor: Google\r\n"),
         response("200 OK", "Metadata-Flavor: Google\r\n", s[3])},
        {"169.254.169.254",
         request("POST /instance_identity/v1/iam_token", "Content-Length: 38\r\n", s[1].substr(0, 38)),
         response("200 OK", "X-Token: " + s[2] + "\r\nSet-Cookie: " + s[2] + "\r\n", oauth)},
        {"169.254.169.254", s[2] + " " + s[4] + "\r\n\r\n", s[3] + "\r\n" + s[4] + "\r\n"},
        {"169.254.169.254", request(s[2] + " /latest/meta-data/"), ec2("")},
        {"169.254.169.254", "GET /latest/meta-data/ HTTP/1.1\r\nHost: " + s[4] + " " + s[1] + "!\r\n\r\n",
         ec2("")},
        {"169.254.169.254", request("GET " + s[4]), "HTTP/1.1 200 " + s[3] + "\r\nContent-Length: 0\r\n\r\n"},
        {"169.254.169.254", request("GET /latest/meta-data/iam/security-credentials/web"),
         // not JSON as it should be: values in the wrong fields, nested, not of their form
         ec2(R"({"Token":")" + s[1] + R"(", "x":{"AccessKeyId":")" + s[0] + R"("},"Expiration":")" + s[0] +
             R"(","Type":["AccessKeyId",")" + s[0] + R"("],"Code":")" + s[3] + "/" + R"(+","AccessKeyId":")" +
             s[0])},
        {"169.254.169.254",
         request("GET /latest/meta-data/iam/security-credentials/web", "Transfer-Encoding: chunked\r\n",
                 "26\r\n" + s[0] + "\r\n0\r\n\r\n"),
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n26\r\n" + s[0] + "\r\n0\r\n" + s[1] + ": " +
             s[2] + "\r\n\r\n"},
    };
}

void play(SimulatedConnection& simulated, const Talk& talk, size_t asked, size_t answered, size_t step) {
    simulated.ends = ends_to(talk.address);
    simulated.connect();
    for (size_t at = 0; at < asked; at += step)
        simulated.send(std::string_view(talk.asked).substr(at, std::min(step, asked - at)));
    for (size_t at = 0; at < answered; at += step)
        simulated.receive(std::string_view(talk.answered).substr(at, std::min(step, answered - at)));
    simulated.close();
}

void expect_silent(const SimulatedConnection& simulated, const std::string& what) {
    ASSERT_FALSE(simulated.events.empty());
    expect_none(simulated.text_lines, what);
    expect_none(simulated.json_lines, what);
    expect_none(simulated.summary.text() + simulated.summary.json(), what);
}

} // namespace

TEST(ImdsSecrets, NoneInAnyFormat) {
    for (const Talk& talk : talks()) {
        SimulatedConnection simulated;
        play(simulated, talk, talk.asked.size(), talk.answered.size(), 4096);
        expect_silent(simulated, talk.asked);
    }
}

TEST(ImdsSecrets, NoneWhenItComesInPieces) {
    for (const Talk& talk : talks())
        for (const size_t step : {1, 7}) {
            SimulatedConnection simulated;
            play(simulated, talk, talk.asked.size(), talk.answered.size(), step);
            expect_silent(simulated, talk.asked);
        }
}

TEST(ImdsSecrets, NoneWhenItIsCutAnywhere) {
    for (const Talk& talk : talks()) {
        for (size_t at = 1; at < talk.asked.size(); ++at) {
            SimulatedConnection simulated;
            play(simulated, talk, at, talk.answered.size(), 4096);
            expect_silent(simulated, talk.asked.substr(0, at));
        }
        for (size_t at = 0; at < talk.answered.size(); ++at) {
            SimulatedConnection simulated;
            play(simulated, talk, talk.asked.size(), at, 4096);
            expect_silent(simulated, talk.answered.substr(0, at));
        }
    }
}

TEST(ImdsSecrets, NoneBehindAHole) {
    for (const Talk& talk : talks())
        for (size_t at = 1; at < talk.answered.size(); at += 3) {
            SimulatedConnection simulated;
            simulated.ends = ends_to(talk.address);
            simulated.send(talk.asked);
            simulated.hole(Direction::received, at + 10, std::string_view(talk.answered).substr(0, at));
            simulated.receive(std::string_view(talk.answered).substr(at));
            simulated.close();
            expect_silent(simulated, talk.answered.substr(at));
        }
}

TEST(ImdsSecrets, UnsafeShowsThem) {
    const Talk talk = talks()[1];
    ImdsEvent kept;
    ImdsTracker::Options options = SimulatedConnection::with_route(SimulatedConnection::in_order());
    options.scrubs = false;
    ImdsTracker tracker(std::move(options), [&](const ImdsEvent& event) { kept = event; });
    SimulatedConnection simulated;
    tracker.take(simulated.segment(Direction::sent, talk.asked));
    tracker.take(simulated.segment(Direction::received, talk.answered));
    for (const char* format : {"text", "json"}) {
        std::string out;
        make_imds_formatter(telemetry::format_named(format),
                            {samples::context(), false, UnsafeView::because_the_user_asked_for_it()})
            ->format(kept, out);
        EXPECT_THAT(out, HasSubstr(secrets[0])) << format;
        EXPECT_THAT(out, HasSubstr(secrets[1])) << format;
    }
}

TEST(ImdsRedaction, TheAllowListComesOut) {
    SimulatedConnection simulated;
    const Talk talk = talks()[1];
    play(simulated, talk, talk.asked.size(), talk.answered.size(), 4096);
    const json imds = simulated.only_json()["linux"]["imds"];
    EXPECT_EQ(imds["code"], "Success");
    EXPECT_EQ(imds["type"], "AWS-HMAC");
    EXPECT_EQ(imds["access_key_id"], "ASIAEXAMPLE");
    EXPECT_EQ(imds["expiration"], "2026-11-22T06:00:00Z");
    EXPECT_EQ(imds["server"], "EC2ws");
    EXPECT_FALSE(imds.contains("token") && imds["token"].is_string());
}

TEST(ImdsRedaction, Paths) {
    const auto path = [](const std::string& target, Provider provider = Provider::unknown) {
        return redacted_path(split_target(target), provider);
    };
    EXPECT_EQ(path("/latest/meta-data/iam/security-credentials/web"),
              "/latest/meta-data/iam/security-credentials/web");
    EXPECT_EQ(path("/v2/credentials/0123"), "/v2/credentials/<redacted:4>");
    EXPECT_EQ(path("/v2/credentials/0123/x"), "/v2/credentials/<redacted:6>");
    EXPECT_EQ(path("/v2/credentials/"), "/v2/credentials/");
    EXPECT_EQ(path("/v2/credentials"), "/v2/credentials");
    EXPECT_EQ(path("/v1/credentials", Provider::eks), "/v1/credentials");
    EXPECT_EQ(path("/v4/abc-1/task", Provider::ecs), "/v4/<redacted:5>/task");
    EXPECT_EQ(path("/a%2fb/c"), "/<redacted:7>");
    EXPECT_EQ(path("/%61bc/d"), "/%61bc/d");
    EXPECT_EQ(path("/a;b/c"), "/a;<redacted:1>/c");
    EXPECT_EQ(path("http://u:p@h/x?y"), "/x");
    EXPECT_EQ(path("*"), "*");
    EXPECT_EQ(path("secret:80"), "<redacted:9>");
    EXPECT_EQ(path(""), "");
    EXPECT_EQ(path("/"), "/");
    EXPECT_EQ(path("//"), "//");
    EXPECT_EQ(path("/" + std::string(300, 'x')), "/<redacted:300>");
}

TEST(ImdsRedaction, Queries) {
    EXPECT_EQ(redacted_query("api-version=2018-02-01&resource=https://x/"),
              "api-version=<redacted:10>&resource=<redacted:10>");
    EXPECT_EQ(redacted_query("recursive"), "recursive");
    EXPECT_EQ(redacted_query("dG9rZW4="), "<redacted:8>");
    EXPECT_EQ(redacted_query("&&a"), "&&<redacted:1>");
    EXPECT_EQ(redacted_query(""), "");
    EXPECT_LT(redacted_query(std::string(100'000, '&')).size(), 3000U);
}

TEST(ImdsRedaction, BodiesThatAreCutGiveWhatIsWhole) {
    const std::string body = R"({"Code":"Success","AccessKeyId":"ASIA1","expires_in":3599})";
    for (size_t at = 0; at <= body.size(); ++at)
        for (const FoundField& field : find_body_fields(std::string_view(body).substr(0, at)))
            ASSERT_TRUE(field.value == "Success" || field.value == "ASIA1" || field.value == "3599") << at;
    EXPECT_EQ(find_body_fields(body).size(), 3U);
    EXPECT_TRUE(find_body_fields("[\"Code\"]").empty());
    EXPECT_TRUE(find_body_fields("Code: Success").empty());
    EXPECT_EQ(find_body_fields(R"({"AccessKeyId":"a b"})").front().value, "<redacted:3>");
    EXPECT_EQ(find_body_fields(R"({"resource":"https:\/\/vault.azure.net"})").front().value,
              "https://vault.azure.net");
}
