// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "telemetry/sink/sinks.hpp"

namespace telemetry {

/// Where and how to send: Datadog's log intake, HTTP API v2.
struct DatadogOptions {
    std::string api_key;
    std::string url;      ///< of the intake, whole
    std::string proxy;    ///< empty: what libcurl finds in the environment
    std::string no_proxy; ///< hosts to reach without it
    std::string host;
    std::string tags; ///< "scrubbed:true,version:0.1.0"

    size_t queue_bytes = 8u << 20;              ///< what may wait
    size_t batch_bytes = 2u << 20;              ///< the intake takes 5 MB; escaping adds,
    size_t batch_events = 900;                  ///< and 1000 events
    std::chrono::milliseconds linger{2000};     ///< how long a batch waits to be filled
    std::chrono::milliseconds timeout{10000};   ///< of one attempt
    std::chrono::milliseconds first_pause{500}; ///< before the second attempt; then twice as long each time
    std::chrono::milliseconds longest_pause{30000};
    std::chrono::milliseconds last_chance{5000}; ///< how long finish() goes on trying
};

/// From DD_API_KEY, DD_SITE, DD_LOGS_URL (or DD_URL), DD_PROXY_HTTPS, DD_PROXY_HTTP, DD_PROXY_NO_PROXY
/// as `get` finds them: in datadog_options.cpp. Throws ebpf_loader::Error(usage) when there is no key.
DatadogOptions datadog_options(const std::function<const char*(const char*)>& get);

struct DatadogReport {
    uint64_t sent = 0;     ///< events that the intake took
    uint64_t retries = 0;  ///< attempts after the first
    uint64_t refused = 0;  ///< events that it will never take: 400, 403, 413
    uint64_t overflow = 0; ///< events for which the queue had no room
    std::string error;     ///< of the last attempt; empty when it was well
};

/// A sink for lines of JSON; datadog_none.cpp is in its place where there is no libcurl. It sends from a
/// thread of its own: write() never waits.
class DatadogSink : public Sink {
  public:
    virtual DatadogReport report() const = 0;
};
std::unique_ptr<DatadogSink> make_datadog_sink(const DatadogOptions& options);

/// Of imds-tracker alone.
extern const SinkKind datadog_sink;

} // namespace telemetry
