// SPDX-License-Identifier: MIT
// kind = http against a server of the tests' own.
#include "telemetry/delivery/http/client.hpp"

#include <ebpf_loader/error.hpp>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "telemetry/delivery/http/bulk_answer.hpp"
#include "telemetry/delivery/http/dialect.hpp"
#include "telemetry/delivery/output.hpp"
#include "test/unit/delivery/refusal.hpp"
#include "test/unit/sink/intake_server.hpp"
#include "test/unit/sink/sink_support.hpp"
#include "test/unit/support/temporary_folder.hpp"

using namespace sink_test;
using imds_test::IntakeAnswer;
using imds_test::IntakeRequest;
using imds_test::IntakeServer;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Result = Answer::Result;

namespace {

std::string event(int number) {
    return R"({"@timestamp":"2026-11-27T22:15:18.000000123Z","host":{"id":"h"},"event":{"module":"m","id":"run-0-1-)" +
           std::to_string(number) + R"("},"process":{"name":"\"event\":{\"id\":\"forged\"}","id":"x"}})" +
           "\n";
}

struct Http : testing::Test {
    void start(const IntakeServer& server, const std::string& options) {
        const std::string url = "http://127.0.0.1:" + std::to_string(server.port());
        const auto outputs =
            parse_outputs("[output.s]\nkind = http\nurl = " + url +
                              "\nbatch_time = 50ms\nretry_first = 5ms\nretry_longest = 50ms\n" + options,
                          "f");
        output = std::make_unique<DeliveryOutput>(outputs.at(0));
    }
    void put(int from, int to) {
        for (int i = from; i < to; ++i)
            output->put(event(i), false, true);
        output->hand_over();
    }
    DeliveryReport report() const { return *output->report().delivery; }
    bool delivers(uint64_t count) {
        return eventually([&] { return report().delivered == count; });
    }

    TemporaryFolder folder;
    std::unique_ptr<DeliveryOutput> output;
};

TEST(HttpLines, EventIdAndTimeAreReadFromTheLine) {
    EXPECT_EQ(event_id_of(event(7)), "run-0-1-7");
    EXPECT_EQ(event_id_of("{}"), "");
    EXPECT_EQ(event_id_of(R"("event":{"id":"cut)"), "");
    EXPECT_EQ(time_of(event(7)), 1795817718000000123U);
    EXPECT_EQ(time_of(R"({"@timestamp":"2026)"), 0U);
    EXPECT_EQ(time_of("{}"), 0U);
}

TEST_F(Http, SendsLinesCompressed) {
    const IntakeServer server([](size_t) { return 200; });
    for (const char* compress : {"gzip", "none"}) {
        const size_t before = server.requests().size();
        start(server, std::string("compress = ") + compress + "\n");
        put(0, 3);
        ASSERT_TRUE(delivers(3)) << output->report().error;
        output.reset();
        const IntakeRequest request = server.requests().at(before);
        EXPECT_THAT(request.head, StartsWith("POST / HTTP/1.1"));
        EXPECT_EQ(request.header("Content-Type"), "application/x-ndjson");
        EXPECT_EQ(request.header("Content-Encoding"), std::string(compress) == "gzip" ? "gzip" : "");
        EXPECT_EQ(request.body, event(0) + event(1) + event(2));
    }
}

TEST_F(Http, CredentialsComeFromFiles) {
    const IntakeServer server([](size_t) { return 200; });
    const std::string secret = folder.path() + "/secret";
    std::ofstream(secret) << "s3cret\n";
    chmod(secret.c_str(), 0600);
    start(server, "token_file = " + secret + "\n");
    put(0, 1);
    ASSERT_TRUE(delivers(1));
    start(server, "user = u\npassword_file = " + secret + "\n");
    put(0, 1);
    ASSERT_TRUE(delivers(1));
    start(server, "dialect = splunk\ntoken_file = " + secret + "\n");
    put(0, 1);
    ASSERT_TRUE(delivers(1));
    EXPECT_EQ(server.requests().at(0).header("Authorization"), "Bearer s3cret");
    EXPECT_EQ(server.requests().at(1).header("Authorization"), "Basic dTpzM2NyZXQ=");
    EXPECT_EQ(server.requests().at(2).header("Authorization"), "Splunk s3cret");
    chmod(secret.c_str(), 0644);
    EXPECT_THROW(start(server, "token_file = " + secret + "\n"), ebpf_loader::Error);
}

TEST_F(Http, ServersThatAreBusyAreAskedAgain) {
    const IntakeServer server([](size_t number, const IntakeRequest&) {
        constexpr int statuses[] = {429, 500, 503, 408, 401, 302, -1, 200};
        return IntakeAnswer{statuses[std::min<size_t>(number, 7)], "{}",
                            number == 0 ? "Retry-After: 1\r\n" : ""};
    });
    const auto begin = Clock::now();
    start(server, "timeout = 2s\n");
    put(0, 10);
    ASSERT_TRUE(delivers(10));
    EXPECT_GE(Clock::now() - begin, 1s) << "as it asked";
    EXPECT_EQ(server.requests().size(), 8U);
    EXPECT_TRUE(report().lost.empty());
    EXPECT_EQ(output->report().error, "");
}

TEST_F(Http, AServerThatSaysNothingIsGivenUpInTime) {
    const IntakeServer server([](size_t number) { return number == 0 ? 0 : 200; });
    start(server, "timeout = 200ms\n");
    put(0, 1);
    ASSERT_TRUE(delivers(1));
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Http, AnswersAreBoundedInSize) {
    const IntakeServer server([](size_t number, const IntakeRequest&) {
        if (number == 0)
            return IntakeAnswer{200, std::string(2 << 20, 'x')};
        if (number == 1)
            return IntakeAnswer{200, "", std::string("A: ") + std::string(90'000, 'x') + "\r\n"};
        return IntakeAnswer{200};
    });
    start(server, "");
    put(0, 1);
    ASSERT_TRUE(delivers(1));
    EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(Http, TheEndIsNotHeldUp) {
    const IntakeServer server([](size_t) { return 0; });
    start(server, "spool = 1M\nspool_dir = " + folder.path() + "/spool\n");
    put(0, 5);
    ASSERT_TRUE(eventually([&] { return server.requests().size() == 1; }));
    const auto begin = Clock::now();
    output->close();
    EXPECT_LT(Clock::now() - begin, 3s);
    EXPECT_EQ(report().waiting, 5U);
}

TEST_F(Http, LinesThatAreRefusedAreSetAside) {
    const IntakeServer server([](size_t, const IntakeRequest& request) {
        return IntakeAnswer{request.body.find("-13\"") == std::string::npos ? 200 : 400, "bad \x1b line"};
    });
    start(server, "spool = 1M\nspool_dir = " + folder.path() + "/spool\n");
    put(0, 50);
    ASSERT_TRUE(delivers(49));
    ASSERT_TRUE(eventually([&] { return report().waiting == 0; }));
    ASSERT_EQ(report().lost.size(), 1U);
    EXPECT_EQ(report().lost[0].first, "refused");
    EXPECT_EQ(contents(folder.path() + "/spool/rejected"), event(13));
}

TEST_F(Http, ElasticTakesEachEventOnce) {
    const IntakeServer server([](size_t number, const IntakeRequest&) {
        if (number > 0)
            return IntakeAnswer{200, R"({"errors":false})"};
        return IntakeAnswer{200,
                            R"({"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409}},
            {"create":{"status":429}},{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]})"};
    });
    start(server, "dialect = elastic\nindex = logs-x\n");
    put(0, 4);
    ASSERT_TRUE(delivers(3));
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_THAT(requests[0].head, StartsWith("POST /logs-x/_bulk?filter_path="));
    EXPECT_THAT(requests[0].body, StartsWith(R"({"create":{"_id":"run-0-1-0"}})"
                                             "\n" +
                                             event(0)));
    EXPECT_EQ(requests[1].body, R"({"create":{"_id":"run-0-1-2"}})"
                                "\n" +
                                    event(2));
    ASSERT_EQ(report().lost.size(), 1U);
    EXPECT_EQ(report().lost[0].second, 1U);
}

TEST_F(Http, OtherDialects) {
    const IntakeServer server([](size_t) { return 200; });
    start(server, "dialect = clickhouse\ntable = db.t\ninsert_format = JSONEachRow\n");
    put(0, 2);
    ASSERT_TRUE(delivers(2));
    start(server, "dialect = splunk\n");
    put(0, 2);
    ASSERT_TRUE(delivers(2));
    start(server, "dialect = loki\n");
    put(0, 2);
    ASSERT_TRUE(delivers(2));
    start(server, "dialect = otlp\n");
    put(0, 2);
    ASSERT_TRUE(delivers(2));
    const auto requests = server.requests();
    const std::string line = event(0).substr(0, event(0).size() - 1);
    EXPECT_THAT(requests[0].head,
                StartsWith("POST /?query=INSERT%20INTO%20db.t%20FORMAT%20JSONEachRow&async_insert=1&"
                           "wait_for_async_insert=1 HTTP"));
    EXPECT_EQ(requests[0].body, event(0) + event(1));
    EXPECT_THAT(requests[1].head, StartsWith("POST /services/collector/event HTTP"));
    const json splunk = json::parse(requests[1].body.substr(0, requests[1].body.find('\n')));
    EXPECT_EQ(splunk["event"], json::parse(line));
    EXPECT_EQ(splunk["time"], 1795817718.0);
    EXPECT_THAT(requests[2].head, StartsWith("POST /loki/api/v1/push HTTP"));
    EXPECT_EQ(json::parse(requests[2].body)["streams"][0]["values"][0], json({"1795817718000000123", line}));
    EXPECT_THAT(requests[3].head, StartsWith("POST /v1/logs HTTP"));
    const json record = json::parse(requests[3].body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    EXPECT_EQ(record["body"]["stringValue"], line);
    EXPECT_EQ(record["timeUnixNano"], "1795817718000000123");
    EXPECT_EQ(record["attributes"][0]["value"]["stringValue"], "run-0-1-0");
}

TEST_F(Http, DatadogGetsItsKeyAndLogs) {
    const IntakeServer server([](size_t) { return 202; });
    const std::string key = folder.path() + "/key";
    std::ofstream(key) << "0123456789abcdef\n";
    chmod(key.c_str(), 0600);
    start(server, "dialect = datadog\ntoken_file = " + key + "\n");
    put(0, 2);
    ASSERT_TRUE(delivers(2)) << output->report().error;
    const IntakeRequest request = server.requests().at(0);
    EXPECT_THAT(request.head, StartsWith("POST /api/v2/logs HTTP"));
    EXPECT_EQ(request.header("DD-API-KEY"), "0123456789abcdef");
    EXPECT_EQ(request.header("Authorization"), "");
    const json logs = json::parse(request.body);
    ASSERT_EQ(logs.size(), 2U);
    EXPECT_EQ(logs[1]["message"].get<std::string>() + "\n", event(1));
    EXPECT_EQ(logs[1]["ddsource"], "ebpf_telemetry");
    EXPECT_EQ(logs[1]["service"], "ebpf_telemetry");
    EXPECT_FALSE(logs[1].contains("ddtags"));
    start(server, "dialect = datadog\nddsource = linux\nservice = sensor\nddtags = env:prod,team:\"blue\"\n");
    put(2, 3);
    ASSERT_TRUE(delivers(1)) << output->report().error;
    const json log = json::parse(server.requests().at(1).body)[0];
    EXPECT_EQ(log["ddsource"], "linux");
    EXPECT_EQ(log["service"], "sensor");
    EXPECT_EQ(log["ddtags"], "env:prod,team:\"blue\"");
}

TEST_F(Http, SomeHostsAreReachedWithoutTheProxy) {
    const IntakeServer server([](size_t) { return 200; }), proxy([](size_t) { return 200; });
    const std::string by_proxy = "proxy = http://127.0.0.1:" + std::to_string(proxy.port()) + "\n";
    start(server, by_proxy);
    put(0, 1);
    ASSERT_TRUE(delivers(1)) << output->report().error;
    EXPECT_EQ(proxy.requests().size(), 1U);
    start(server, by_proxy + "no_proxy = other.example,127.0.0.1\n");
    put(1, 2);
    ASSERT_TRUE(delivers(1)) << output->report().error;
    EXPECT_EQ(proxy.requests().size(), 1U);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Http, SplunkIsAskedUntilItHasIndexed) {
    const IntakeServer server([](size_t number, const IntakeRequest& request) {
        constexpr const char* acks[] = {"", R"({"acks":{"5":false}})", "{}", R"({"acks":{"5":true}})"};
        const bool is_question = request.head.find("/services/collector/ack?channel=") != std::string::npos;
        EXPECT_EQ(is_question, number > 0);
        return IntakeAnswer{
            200, is_question ? acks[std::min<size_t>(number, 3)] : R"({"text":"Success","code":0,"ackId":5})",
            ""};
    });
    start(server, "dialect = splunk\n");
    put(0, 3);
    ASSERT_TRUE(delivers(3)) << output->report().error;
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 4U);
    const std::string channel(requests[0].header("X-Splunk-Request-Channel"));
    EXPECT_EQ(channel.size(), 36U);
    EXPECT_THAT(requests[1].head, StartsWith("POST /services/collector/ack?channel=" + channel + " HTTP"));
    EXPECT_EQ(requests[1].body, R"({"acks":[5]})");
}

TEST_F(Http, WhatSplunkDoesNotIndexInTimeIsSentAgain) {
    const IntakeServer server([](size_t number, const IntakeRequest& request) {
        const bool is_question = request.head.find("/ack?") != std::string::npos;
        return IntakeAnswer{200,
                            is_question   ? R"({"acks":{"0":false}})"
                            : number == 0 ? R"({"ackId":0})"
                                          : "{}",
                            ""};
    });
    start(server, "dialect = splunk\ntimeout = 300ms\n");
    put(0, 3);
    ASSERT_TRUE(delivers(3)) << output->report().error;
    EXPECT_THAT(server.requests().back().head, StartsWith("POST /services/collector/event "));
    EXPECT_GE(server.requests().size(), 4U);
}

TEST(BulkAnswer, WhatIsNotUnderstoodIsAskedAgain) {
    for (const std::string& body :
         {std::string(""), std::string("{}"), std::string("[]"), std::string("null"),
          std::string(R"({"errors":1})"), std::string(R"({"errors":true})"),
          std::string(R"({"errors":true,"items":[]})"),
          std::string(R"({"errors":true,"items":[1,{},{"create":{}}]})"), std::string(1 << 20, '['),
          R"({"errors":true,"items":)" + std::string(100'000, '[')})
        EXPECT_EQ(judge_bulk(body, 3).result, Result::again) << body.substr(0, 50);
    EXPECT_EQ(judge_bulk(R"({"errors":false})", 3).result, Result::taken);
    EXPECT_THAT(
        judge_bulk(R"({"errors":true,"items":[{"create":{"status":200}},{"x":{"status":"y"}},1]})", 3).items,
        ElementsAre(Result::taken, Result::again, Result::again));
}

TEST(BulkAnswer, RecordsThatOtlpRejectedAreNotSentAgain) {
    EXPECT_TRUE(judge_otlp("{}", 3).items.empty());
    EXPECT_TRUE(judge_otlp("", 3).items.empty());
    EXPECT_TRUE(judge_otlp(R"({"partialSuccess":{}})", 3).items.empty());
    EXPECT_THAT(judge_otlp(R"({"partialSuccess":{"rejectedLogRecords":"1"}})", 2).items,
                ElementsAre(Result::refused, Result::taken));
    EXPECT_THAT(judge_otlp(R"({"partialSuccess":{"rejectedLogRecords":99}})", 2).items,
                ElementsAre(Result::refused, Result::refused));
}

TEST(HttpConfig, MistakesAreRefused) {
    const auto refusal = [](const std::string& options) {
        return outputs_refusal("[output.s]\nkind = http\n" + options);
    };
    EXPECT_THAT(refusal(""), HasSubstr("needs the option url"));
    EXPECT_THAT(refusal("url = ftp://x\n"), HasSubstr("f:3: url begins with http"));
    EXPECT_THAT(refusal("url = https://u:p@x/\n"), HasSubstr("password_file"));
    EXPECT_THAT(refusal("url = http://x\ndialect = elastik\n"), HasSubstr("did you mean \"elastic\"?"));
    EXPECT_THAT(refusal("url = http://x\nformat = text\n"), HasSubstr("has to be json"));
    EXPECT_THAT(refusal("url = http://x\nspool_dir = /s\n"), HasSubstr("needs the option spool"));
    EXPECT_THAT(refusal("url = http://x\nspool = 64M\n"), HasSubstr("needs the option spool_dir"));
    EXPECT_THAT(refusal("url = http://x\ndialect = clickhouse\ntable = a;b\n"), HasSubstr("f:5: table"));
    EXPECT_THAT(refusal("url = http://x\nuser = u\n"), HasSubstr("go together"));
    EXPECT_NO_THROW(parse_outputs("[output.s]\nkind = http\nurl = http://x\n", "f"));
}

} // namespace
