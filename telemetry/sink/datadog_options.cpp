// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <ebpf_loader/error.hpp>

#include "telemetry/sink/datadog.hpp"

namespace telemetry {
namespace {

constexpr SinkOption command_line_options[] = {
    {"datadog", "also send events to Datadog, with DD_API_KEY and DD_SITE from the environment"},
};

constexpr std::string_view path = "/api/v2/logs";

/// "host:port", "https://host" and "https://host/api/v2/logs" are all understood.
std::string whole_url(std::string url) {
    if (url.find("://") == url.npos)
        url.insert(0, "https://");
    while (url.ends_with('/'))
        url.pop_back();
    const size_t host = url.find("://") + 3;
    if (url.find('/', host) == url.npos)
        url += path;
    return url;
}

} // namespace

DatadogOptions datadog_options(const std::function<const char*(const char*)>& get) {
    const auto value = [&](const char* name) {
        const char* found = get(name);
        return std::string(found ? found : "");
    };
    DatadogOptions options;
    options.api_key = value("DD_API_KEY");
    if (options.api_key.empty())
        throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                 "--datadog needs an API key: set DD_API_KEY in the environment");
    for (const char c : options.api_key)
        if (c <= ' ' || c >= 0x7f)
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                     "DD_API_KEY contains a blank or another character that no API key has: "
                                     "set it to the key alone");
    const std::string site = value("DD_SITE");
    options.url = "https://http-intake.logs." + (site.empty() ? "datadoghq.com" : site) + std::string(path);
    for (const char* name : {"DD_URL", "DD_LOGS_URL"}) // the latter counts
        if (const std::string url = value(name); !url.empty())
            options.url = whole_url(url);
    const bool is_tls = options.url.starts_with("https:");
    options.proxy = value(is_tls ? "DD_PROXY_HTTPS" : "DD_PROXY_HTTP");
    options.no_proxy = value("DD_PROXY_NO_PROXY");
    return options;
}

const SinkKind datadog_sink = {
    .name = "datadog",
    .cause = "output_datadog",
    .options = command_line_options,
    .open = [](const std::string&, const SinkContext& context) -> std::unique_ptr<Sink> {
        DatadogOptions options = datadog_options([](const char* name) { return std::getenv(name); });
        options.host = context.host;
        options.tags = context.tags;
        return make_datadog_sink(options);
    },
    .own_format = &json_format,
};

} // namespace telemetry
