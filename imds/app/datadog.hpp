// SPDX-License-Identifier: MIT
// --datadog: the common output by HTTP, set up from the environment as Datadog's own agent is.
#pragma once
#include <chrono>
#include <functional>
#include <memory>

#include "telemetry/delivery/http/dialect.hpp"
#include "telemetry/delivery/reliable.hpp"
#include "telemetry/sink/sinks.hpp"

namespace telemetry::imds {

struct DatadogSettings {
    HttpOptions http;
    DatadogSource source;
    ReliableOptions reliable; ///< in memory: there is no spool
    size_t queue_bytes = 8u << 20;
    std::chrono::milliseconds last_chance{5000}; ///< how long the end of the run waits for the intake
};

/// From DD_API_KEY, DD_SITE, DD_LOGS_URL (or DD_URL), DD_PROXY_HTTPS, DD_PROXY_HTTP, DD_PROXY_NO_PROXY
/// as `get` finds them. Throws ebpf_loader::Error(usage) when there is no key.
DatadogSettings datadog_settings(const std::function<const char*(const char*)>& get);

/// Takes lines of JSON. Throws ebpf_loader::Error(usage) where there is no libcurl.
std::unique_ptr<Sink> make_datadog_sink(const DatadogSettings& settings);

extern const SinkKind datadog_sink;

} // namespace telemetry::imds
