// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/delivery/http/client.hpp"
#include "telemetry/delivery/line_fields.hpp"
#include "telemetry/delivery/sender.hpp"
#include "telemetry/delivery/settings.hpp"

namespace telemetry {

/// How a kind of server wants lines of JSON, and what it answers.
class HttpDialect {
  public:
    virtual ~HttpDialect() = default;
    virtual std::string path() const = 0; ///< behind the URL that is configured
    virtual std::vector<std::string> headers() const { return {"Content-Type: application/json"}; }
    /// The batch's own bytes, or what was put into `made`, whose memory is used again.
    virtual std::string_view body(const Batch& batch, std::string& made) const = 0;
    /// Of an answer with a status of success.
    virtual Answer judge(const HttpAnswer& /*answer*/, const Batch& /*batch*/) const {
        return {Answer::Result::taken, {}, {}, {}};
    }

    /// Servers that only promise to store what they took are asked until they say that they did.
    struct Question {
        std::string path, body;
    };
    /// None: what was taken is stored.
    virtual std::optional<Question> question(const HttpAnswer& /*answer*/) const { return std::nullopt; }
    /// Of an answer to that, with a status of success.
    virtual bool is_stored(const HttpAnswer& /*answer*/) const { return true; }
};

/// How Datadog is to file logs.
struct DatadogSource {
    std::string path = "/api/v2/logs"; ///< behind the URL
    std::string source = "ebpf_telemetry", service = "ebpf_telemetry";
    std::string tags; ///< "env:prod,team:blue"; empty: none
};
/// Bytes: a log has 1 MB, and lines are escaped in it.
inline constexpr size_t longest_datadog_line = 500'000;
std::unique_ptr<HttpDialect> make_datadog_dialect(const DatadogSource& source);

/// What the status says, whatever the dialect.
Answer judge_status(const HttpAnswer& answer);

struct HttpDialectKind {
    std::string_view name;
    /// Throws ebpf_loader::Error(usage).
    std::unique_ptr<HttpDialect> (*make)(const Settings& settings);
    std::string_view token_header = "Authorization: Bearer "; ///< the token follows
    size_t longest_line = 1 << 20; ///< that such servers take as they are usually set up
};

/// The first is the usual one.
const std::vector<HttpDialectKind>& http_dialects();
/// The options that a dialect has of its own.
inline constexpr std::string_view dialect_options[] = {"index",    "table",   "insert_format",
                                                       "ddsource", "service", "ddtags"};

} // namespace telemetry
