// SPDX-License-Identifier: MIT
#include "imds/app/datadog.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <ebpf_loader/error.hpp>

#include "telemetry/delivery/http/http.hpp"
#include "telemetry/delivery/output.hpp"

namespace telemetry::imds {
namespace {

using namespace std::chrono_literals;
using ebpf_loader::Error;
using ebpf_loader::ErrorCode;

constexpr SinkOption command_line_options[] = {
    {"datadog", "also send events to Datadog, with DD_API_KEY and DD_SITE from the environment"},
};

/// "host:port", "https://host" and "https://host/api/v2/logs" are all understood.
void set_url(std::string url, DatadogSettings& settings) {
    if (url.find("://") == url.npos)
        url.insert(0, "https://");
    while (url.ends_with('/'))
        url.pop_back();
    const size_t path = std::min(url.find('/', url.find("://") + 3), url.size());
    if (path < url.size())
        settings.source.path = url.substr(path);
    settings.http.url = url.substr(0, path);
}

/// An output of the configuration behind the interface of those of the command line.
class DatadogSink final : public Sink {
  public:
    DatadogSink(const OutputSettings& output, std::chrono::milliseconds last_chance)
        : output_(output), last_chance_(last_chance) {}
    ~DatadogSink() override { finish(); }
    DatadogSink(const DatadogSink&) = delete;
    DatadogSink& operator=(const DatadogSink&) = delete;

    void write(std::string_view lines, uint64_t) override {
        while (!lines.empty()) {
            const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
            output_.put(lines.substr(0, end), false, true);
            lines.remove_prefix(end);
        }
        output_.hand_over();
    }
    void flush() override {} // its thread sends when it is time
    void finish() override { output_.close_within(last_chance_); }
    uint64_t lost() const override { return output_.report().lost; }
    uint64_t queued_bytes() const override { return output_.report().queued_bytes; }
    bool broken() const override { return output_.is_broken(); }
    std::string_view error() const override { return output_.report().error; }

  private:
    DeliveryOutput output_;
    const std::chrono::milliseconds last_chance_;
};

} // namespace

DatadogSettings datadog_settings(const std::function<const char*(const char*)>& get) {
    const auto value = [&](const char* name) {
        const char* found = get(name);
        return std::string(found ? found : "");
    };
    DatadogSettings settings;
    const std::string key = value("DD_API_KEY");
    if (key.empty())
        throw Error(ErrorCode::usage, "--datadog needs an API key: set DD_API_KEY in the environment");
    for (const char c : key)
        if (c <= ' ' || c >= 0x7f)
            throw Error(ErrorCode::usage,
                        "DD_API_KEY contains a blank or another character that no API key has: "
                        "set it to the key alone");
    settings.http.headers = {"DD-API-KEY: " + key};
    const std::string site = value("DD_SITE");
    settings.http.url = "https://http-intake.logs." + (site.empty() ? "datadoghq.com" : site);
    for (const char* name : {"DD_URL", "DD_LOGS_URL"}) // the latter counts
        if (const std::string url = value(name); !url.empty())
            set_url(url, settings);
    const bool is_tls = settings.http.url.starts_with("https:");
    settings.http.proxy = value(is_tls ? "DD_PROXY_HTTPS" : "DD_PROXY_HTTP");
    settings.http.no_proxy = value("DD_PROXY_NO_PROXY");
    settings.http.user_agent = "imds-tracker";
    settings.http.timeout = 10s;
    settings.source.source = settings.source.service = "imds-tracker";
    settings.reliable.batch_bytes = 2 << 20; // the intake takes 5 MB, escaped,
    settings.reliable.batch_items = 900;     // and 1000 events
    settings.reliable.linger = 2s;
    settings.reliable.deliverer.longest_pause = 30s;
    return settings;
}

std::unique_ptr<Sink> make_datadog_sink(const DatadogSettings& settings) {
    const std::shared_ptr<const HttpDialect> dialect = make_datadog_dialect(settings.source);
    HttpOptions http = settings.http;
    for (const std::string& header : dialect->headers())
        http.headers.push_back(header);
    const OutputSettings output = {
        .name = "datadog",
        .kind = "http",
        .cause = datadog_sink.cause,
        .format = &json_format,
        .keys = {},
        .queue_bytes = settings.queue_bytes,
        .max_line = longest_datadog_line,
        .text = {},
        .open = [=] { return make_http_carrier(http, dialect, settings.reliable); },
    };
    return std::make_unique<DatadogSink>(output, settings.last_chance);
}

const SinkKind datadog_sink = {
    .name = "datadog",
    .cause = "output_datadog",
    .options = command_line_options,
    .open = [](const std::string&, const SinkContext& context) -> std::unique_ptr<Sink> {
        DatadogSettings settings = datadog_settings([](const char* name) { return std::getenv(name); });
        settings.source.tags = context.tags;
        return make_datadog_sink(settings);
    },
    .own_format = &json_format,
};

} // namespace telemetry::imds
