// SPDX-License-Identifier: MIT
// The Datadog sink against an intake of the tests' own.
#include "telemetry/sink/datadog.hpp"

#include <ebpf_loader/error.hpp>
#include <map>

#include "test/unit/imds/imds_support.hpp"
#include "test/unit/sink/intake_server.hpp"

using namespace imds_test;
using namespace telemetry;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string key = "0123456789abcdef0123456789abcdef";

DatadogOptions options_for(const std::string& url) {
    DatadogOptions options;
    options.api_key = key;
    options.url = url;
    options.host = "web1";
    options.tags = "scrubbed:true,version:0.1.0";
    options.no_proxy = "*";
    options.linger = 20ms;
    options.timeout = 300ms;
    options.first_pause = 10ms;
    options.longest_pause = 80ms;
    options.last_chance = 3000ms;
    return options;
}

/// Waits for what another thread does; false when it does not come.
template <class Condition> bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(5ms);
    return condition();
}

std::vector<std::string> messages(const std::vector<IntakeRequest>& requests) {
    std::vector<std::string> messages;
    for (const IntakeRequest& request : requests)
        for (const json& entry : json::parse(request.body))
            messages.push_back(entry["message"]);
    return messages;
}

DatadogOptions from(const std::map<std::string, std::string>& environment) {
    return datadog_options([&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

} // namespace

TEST(ImdsDatadog, SendsWhatTheIntakeWants) {
    IntakeServer server([](size_t) { return 202; });
    const auto sink = make_datadog_sink(options_for(server.url()));
    sink->write("{\"a\":\"b\\u0001\"}\n{\"c\":2}\n", 2);
    sink->finish();
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_THAT(requests[0].head, testing::StartsWith("POST /api/v2/logs HTTP/1.1"));
    EXPECT_EQ(requests[0].header("DD-API-KEY"), key);
    EXPECT_EQ(requests[0].header("Content-Encoding"), "gzip");
    EXPECT_EQ(requests[0].header("Content-Type"), "application/json");
    EXPECT_EQ(json::parse(requests[0].body)[0], (json{{"ddsource", "imds-tracker"},
                                                      {"service", "imds-tracker"},
                                                      {"hostname", "web1"},
                                                      {"ddtags", "scrubbed:true,version:0.1.0"},
                                                      {"message", "{\"a\":\"b\\u0001\"}"}}));
    EXPECT_EQ(sink->report().sent, 2U);
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
}

TEST(ImdsDatadog, ManyEventsGoTogether) {
    IntakeServer server([](size_t) { return 202; });
    DatadogOptions options = options_for(server.url());
    options.linger = 200ms;
    options.batch_events = 100;
    const auto sink = make_datadog_sink(options);
    std::vector<std::string> all;
    for (int i = 0; i < 250; ++i) {
        all.push_back("{\"n\":" + std::to_string(i) + "}");
        sink->write(all.back() + '\n', 1);
    }
    sink->finish();
    EXPECT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(messages(server.requests()), all);
    EXPECT_EQ(sink->report().sent, 250U);
}

TEST(ImdsDatadog, TooManyAndFaultsAreTriedAgain) {
    IntakeServer server([](size_t number) {
        return number == 0 ? 429 : number == 1 ? 500 : number == 2 ? 503 : 202;
    });
    const auto sink = make_datadog_sink(options_for(server.url()));
    sink->write("{\"n\":1}\n", 1);
    ASSERT_TRUE(eventually([&] { return sink->report().sent == 1; }));
    EXPECT_EQ(server.requests().size(), 4U);
    EXPECT_EQ(sink->report().retries, 3U);
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(ImdsDatadog, AnIntakeThatSaysNothingIsAskedAgain) {
    IntakeServer server([](size_t number) { return number == 0 ? 0 : 202; });
    const auto sink = make_datadog_sink(options_for(server.url()));
    sink->write("{\"n\":1}\n", 1);
    ASSERT_TRUE(eventually([&] { return sink->report().sent == 1; }));
    EXPECT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(sink->report().retries, 1U);
}

TEST(ImdsDatadog, WhatIsRefusedIsLostAndTheRestGoesOn) {
    IntakeServer server([](size_t number) { return number == 0 ? 403 : 202; });
    const auto sink = make_datadog_sink(options_for(server.url()));
    sink->write("{\"n\":1}\n", 1);
    ASSERT_TRUE(eventually([&] { return sink->report().refused == 1; }));
    EXPECT_EQ(sink->error(), "the intake answered 403");
    sink->write("{\"n\":2}\n", 1);
    sink->finish();
    EXPECT_EQ(sink->report().sent, 1U);
    EXPECT_EQ(sink->lost(), 1U);
    EXPECT_FALSE(sink->broken());
}

TEST(ImdsDatadog, DownForAWhile) {
    uint16_t port = 0;
    {
        IntakeServer taken([](size_t) { return 202; });
        port = taken.port();
    }
    DatadogOptions options = options_for("http://127.0.0.1:" + std::to_string(port) + "/api/v2/logs");
    const auto sink = make_datadog_sink(options);
    sink->write("{\"n\":1}\n", 1);
    ASSERT_TRUE(eventually([&] { return sink->report().retries >= 2; }));
    EXPECT_NE(sink->error(), "");
    sink->write("{\"n\":2}\n", 1);
    IntakeServer server([](size_t) { return 202; }, port);
    ASSERT_TRUE(eventually([&] { return sink->report().sent == 2; }));
    EXPECT_THAT(messages(server.requests()), ElementsAre("{\"n\":1}", "{\"n\":2}"));
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(ImdsDatadog, TheQueueIsBoundedAndLossesAreCounted) {
    IntakeServer server([](size_t) { return 0; });
    DatadogOptions options = options_for(server.url());
    options.queue_bytes = 1000;
    options.last_chance = 50ms;
    const auto sink = make_datadog_sink(options);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i)
        sink->write("{\"n\":" + std::string(93, '1') + "}\n", 1);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s); // write() waits for nobody
    EXPECT_GT(sink->report().overflow, 900U);
    sink->finish();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(sink->lost(), 1000U);
}

TEST(ImdsDatadog, GivesUpInTimeAtTheEnd) {
    IntakeServer server([](size_t) { return 500; });
    DatadogOptions options = options_for(server.url());
    options.last_chance = 200ms;
    const auto sink = make_datadog_sink(options);
    sink->write("{\"n\":1}\n", 1);
    const auto begin = std::chrono::steady_clock::now();
    sink->finish();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
    EXPECT_EQ(sink->lost(), 1U);
    EXPECT_EQ(sink->report().sent, 0U);
}

TEST(ImdsDatadog, NothingSecretIsSent) {
    IntakeServer server([](size_t) { return 202; });
    const std::string token = "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=";
    SimulatedConnection simulated;
    simulated.ask("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n", ec2(token));
    simulated.ask("GET /latest/meta-data/iam/security-credentials/web",
                  "X-aws-ec2-metadata-token: " + token + "\r\n",
                  ec2(R"({"AccessKeyId":"ASIA1","SecretAccessKey":"wJalrXUtnFEMI","Token":"IQoJb3JpZ2lu"})"));
    const auto sink = make_datadog_sink(options_for(server.url()));
    sink->write(simulated.json_lines, 2);
    sink->finish();
    ASSERT_FALSE(server.requests().empty());
    for (const IntakeRequest& request : server.requests()) {
        EXPECT_THAT(request.body, HasSubstr("ASIA1"));
        for (const std::string& secret : {token, std::string("wJalrXUtnFEMI"), std::string("IQoJb3JpZ2lu")})
            EXPECT_THAT(request.head + request.body, Not(HasSubstr(secret)));
    }
}

TEST(ImdsDatadog, OptionsFromTheEnvironment) {
    EXPECT_THROW(from({}), ebpf_loader::Error);
    EXPECT_THROW(from({{"DD_API_KEY", "a\r\nX: y"}}), ebpf_loader::Error);
    EXPECT_EQ(from({{"DD_API_KEY", "k"}}).url, "https://http-intake.logs.datadoghq.com/api/v2/logs");
    EXPECT_EQ(from({{"DD_API_KEY", "k"}, {"DD_SITE", "datadoghq.eu"}}).url,
              "https://http-intake.logs.datadoghq.eu/api/v2/logs");
    EXPECT_EQ(from({{"DD_API_KEY", "k"}, {"DD_LOGS_URL", "logs.example:10516"}}).url,
              "https://logs.example:10516/api/v2/logs");
    EXPECT_EQ(from({{"DD_API_KEY", "k"}, {"DD_LOGS_URL", "http://127.0.0.1:1/x/"}}).url,
              "http://127.0.0.1:1/x");
    const std::map<std::string, std::string> proxies = {{"DD_API_KEY", "k"},
                                                        {"DD_PROXY_HTTPS", "http://p:1"},
                                                        {"DD_PROXY_HTTP", "http://p:2"},
                                                        {"DD_PROXY_NO_PROXY", "x"}};
    EXPECT_EQ(from(proxies).proxy, "http://p:1");
    EXPECT_EQ(from(proxies).no_proxy, "x");
}

TEST(ImdsDatadog, GoesThroughAProxy) {
    IntakeServer proxy([](size_t) { return 202; });
    DatadogOptions options = options_for("http://intake.invalid/api/v2/logs");
    options.no_proxy.clear();
    options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    const auto sink = make_datadog_sink(options);
    sink->write("{\"n\":1}\n", 1);
    sink->finish();
    ASSERT_EQ(proxy.requests().size(), 1U);
    EXPECT_THAT(proxy.requests()[0].head,
                testing::StartsWith("POST http://intake.invalid/api/v2/logs HTTP/1.1"));
}
