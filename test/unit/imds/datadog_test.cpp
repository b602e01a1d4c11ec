// SPDX-License-Identifier: MIT
// --datadog against an intake of the tests' own. What it shares with other outputs by HTTP is in
// delivery/http_test.cpp.
#include "imds/app/datadog.hpp"

#include <ebpf_loader/error.hpp>
#include <map>
#include <mutex>

#include "telemetry/base/host_name.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/run_end.hpp"
#include "test/unit/imds/imds_support.hpp"
#include "test/unit/sink/intake_server.hpp"

using namespace imds_test;
using namespace telemetry;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string key = "0123456789abcdef0123456789abcdef";

DatadogSettings from(const std::map<std::string, std::string>& environment) {
    return datadog_settings([&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
    });
}

DatadogSettings settings_for(const std::string& url) {
    const std::map<std::string, std::string> environment = {
        {"DD_API_KEY", key}, {"DD_LOGS_URL", url}, {"DD_PROXY_NO_PROXY", "*"}};
    DatadogSettings settings = from(environment);
    settings.source.tags = "scrubbed:true,version:0.1.0";
    settings.reliable.linger = 20ms;
    settings.http.timeout = 300ms;
    settings.reliable.deliverer.first_pause = 10ms;
    settings.reliable.deliverer.longest_pause = 80ms;
    settings.last_chance = 3000ms;
    return settings;
}

/// Waits for what another thread does; false when it does not come.
template <class Condition> bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(5ms);
    return condition();
}

} // namespace

TEST(ImdsDatadog, SendsWhatTheIntakeWants) {
    IntakeServer server([](size_t) { return 202; });
    const auto sink = make_datadog_sink(settings_for(server.url()));
    sink->write("{\"a\":\"b\\u0001\"}\n{\"c\":2}\n", 2);
    sink->finish();
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_THAT(requests[0].head, testing::StartsWith("POST /api/v2/logs HTTP/1.1"));
    EXPECT_EQ(requests[0].header("DD-API-KEY"), key);
    EXPECT_EQ(requests[0].header("Content-Encoding"), "gzip");
    EXPECT_EQ(requests[0].header("Content-Type"), "application/json");
    EXPECT_EQ(requests[0].header("User-Agent"), "imds-tracker");
    const json logs = json::parse(requests[0].body);
    EXPECT_EQ(logs[0], (json{{"ddsource", "imds-tracker"},
                             {"service", "imds-tracker"},
                             {"hostname", telemetry::host_name()},
                             {"ddtags", "scrubbed:true,version:0.1.0"},
                             {"message", "{\"a\":\"b\\u0001\"}"}}));
    EXPECT_EQ(logs[1]["message"], "{\"c\":2}");
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
}

TEST(ImdsDatadog, AWrongKeyIsToldAndNothingIsLostWhileThereIsRoom) {
    IntakeServer server([](size_t number) { return number < 3 ? 403 : 202; });
    std::string log;
    std::mutex mutex; // the output's thread logs
    telemetry::start_log(telemetry::LogLevel::error, false, "t", [&](std::string_view line) {
        const std::lock_guard lock(mutex);
        log += line;
    });
    const auto sink = make_datadog_sink(settings_for(server.url()));
    sink->write("{\"n\":1}\n", 1);
    ASSERT_TRUE(eventually([&] { return server.requests().size() == 4; }));
    sink->finish();
    telemetry::start_log(telemetry::LogLevel::error, true, "t", [](std::string_view) {});
    EXPECT_EQ(sink->lost(), 0U);
    EXPECT_EQ(sink->error(), "");
    EXPECT_FALSE(sink->broken());
    const std::string message = " refuses the key or password (status 403)";
    const size_t at = log.find(message);
    ASSERT_NE(at, log.npos) << log;
    EXPECT_EQ(log.find(message, at + 1), log.npos) << "once";
    EXPECT_THAT(log, Not(HasSubstr(key)));
}

TEST(ImdsDatadog, TheQueueIsBoundedAndLossesAreCounted) {
    IntakeServer server([](size_t) { return 0; });
    DatadogSettings settings = settings_for(server.url());
    settings.queue_bytes = 1000;
    settings.last_chance = 50ms;
    const auto sink = make_datadog_sink(settings);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i)
        sink->write("{\"n\":" + std::string(93, '1') + "}\n", 1);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s); // write() waits for nobody
    EXPECT_GT(sink->lost(), 900U);
    sink->finish();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    EXPECT_EQ(sink->lost(), 1000U);
}

TEST(ImdsDatadog, TheEndWaitsAsLongAsItSaysAndNoLonger) {
    for (const bool is_kind : {true, false}) {
        IntakeServer server([=](size_t number) { return is_kind && number > 4 ? 202 : 500; });
        DatadogSettings settings = settings_for(server.url());
        settings.last_chance = is_kind ? 3000ms : 200ms;
        const auto sink = make_datadog_sink(settings);
        sink->write("{\"n\":1}\n", 1);
        telemetry::run_end::set(std::chrono::steady_clock::now() - 1min); // others have no time any more
        const auto begin = std::chrono::steady_clock::now();
        sink->finish();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
        EXPECT_EQ(sink->lost(), is_kind ? 0U : 1U);
        telemetry::run_end::set({});
    }
}

TEST(ImdsDatadog, NothingSecretIsSent) {
    IntakeServer server([](size_t) { return 202; });
    const std::string token = "AQAEAHk0dGVzdC1pbWRzdjItdG9rZW4=";
    SimulatedConnection simulated;
    simulated.ask("PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n", ec2(token));
    simulated.ask("GET /latest/meta-data/iam/security-credentials/web",
                  "X-aws-ec2-metadata-token: " + token + "\r\n",
                  ec2(R"({"AccessKeyId":"ASIA1","SecretAccessKey":"wJalrXUtnFEMI","Token":"IQoJb3JpZ2lu"})"));
    const auto sink = make_datadog_sink(settings_for(server.url()));
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
    const auto url = [](std::map<std::string, std::string> environment) {
        environment["DD_API_KEY"] = "k";
        const DatadogSettings settings = from(environment);
        return settings.http.url + settings.source.path;
    };
    EXPECT_EQ(url({}), "https://http-intake.logs.datadoghq.com/api/v2/logs");
    EXPECT_EQ(url({{"DD_SITE", "datadoghq.eu"}}), "https://http-intake.logs.datadoghq.eu/api/v2/logs");
    EXPECT_EQ(url({{"DD_LOGS_URL", "logs.example:10516"}}), "https://logs.example:10516/api/v2/logs");
    EXPECT_EQ(url({{"DD_LOGS_URL", "http://127.0.0.1:1/x/"}}), "http://127.0.0.1:1/x");
    const std::map<std::string, std::string> proxies = {{"DD_API_KEY", "k"},
                                                        {"DD_PROXY_HTTPS", "http://p:1"},
                                                        {"DD_PROXY_HTTP", "http://p:2"},
                                                        {"DD_PROXY_NO_PROXY", "x"}};
    EXPECT_EQ(from(proxies).http.proxy, "http://p:1");
    EXPECT_EQ(from(proxies).http.no_proxy, "x");
}

TEST(ImdsDatadog, GoesThroughAProxyButForSomeHosts) {
    IntakeServer proxy([](size_t) { return 202; }), direct([](size_t) { return 202; });
    for (const std::string& url : {std::string("http://intake.invalid"), direct.url()}) {
        DatadogSettings settings = settings_for(url);
        settings.http.no_proxy = "127.0.0.1,elsewhere";
        settings.http.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
        const auto sink = make_datadog_sink(settings);
        sink->write("{\"n\":1}\n", 1);
        sink->finish();
    }
    ASSERT_EQ(proxy.requests().size(), 1U);
    EXPECT_THAT(proxy.requests()[0].head,
                testing::StartsWith("POST http://intake.invalid/api/v2/logs HTTP/1.1"));
    ASSERT_EQ(direct.requests().size(), 1U);
}
