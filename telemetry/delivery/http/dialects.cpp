// SPDX-License-Identifier: MIT
#include <algorithm>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/host_name.hpp"
#include "telemetry/base/text/random_uuid.hpp"
#include "telemetry/delivery/http/bulk_answer.hpp"
#include "telemetry/delivery/http/dialect.hpp"

namespace telemetry {

namespace {

std::string escaped(std::string_view text) {
    LineBuffer line;
    put_json_escaped(line, text);
    return std::string(line.view());
}

/// Lines as they are: Vector, Fluent Bit, Cribl and what else takes them.
class Ndjson final : public HttpDialect {
  public:
    std::string path() const override { return ""; }
    std::vector<std::string> headers() const override { return {"Content-Type: application/x-ndjson"}; }
    std::string_view body(const Batch& batch, std::string&) const override { return batch.bytes; }
};

/// The bulk API of Elasticsearch and OpenSearch. An event that is there already is not stored again.
class Elastic final : public HttpDialect {
  public:
    explicit Elastic(std::string index) : index_(std::move(index)) {}

    std::string path() const override {
        return "/" + index_ + "/_bulk?filter_path=errors,items.*.status,items.*.error.type";
    }
    std::vector<std::string> headers() const override { return {"Content-Type: application/x-ndjson"}; }
    std::string_view body(const Batch& batch, std::string& body) const override {
        body.clear();
        for (const std::string_view line : batch.texts()) {
            const std::string_view id = event_id_of(line);
            body += id.empty() ? R"({"create":{}})" : R"({"create":{"_id":")" + std::string(id) + "\"}}";
            body.append("\n").append(line).append("\n");
        }
        return body;
    }
    Answer judge(const HttpAnswer& answer, const Batch& batch) const override {
        return judge_bulk(answer.body, batch.items.size());
    }

  private:
    const std::string index_;
};

/// ClickHouse's HTTP interface: the insert is acknowledged when it is stored.
class ClickHouse final : public HttpDialect {
  public:
    ClickHouse(std::string table, std::string format)
        : table_(std::move(table)), format_(std::move(format)) {}

    std::string path() const override {
        return "/?query=INSERT%20INTO%20" + table_ + "%20FORMAT%20" + format_ +
               "&async_insert=1&wait_for_async_insert=1";
    }
    std::string_view body(const Batch& batch, std::string&) const override { return batch.bytes; }

  private:
    const std::string table_, format_;
};

/// Splunk's HTTP Event Collector. Where its token acknowledges, what it took is delivered once it is indexed.
class Splunk final : public HttpDialect {
  public:
    std::string path() const override { return "/services/collector/event"; }
    std::vector<std::string> headers() const override {
        return {"Content-Type: application/json", "X-Splunk-Request-Channel: " + channel_};
    }
    std::optional<Question> question(const HttpAnswer& answer) const override {
        const auto id = splunk_acknowledgement(answer.body);
        if (!id)
            return std::nullopt;
        return Question{"/services/collector/ack?channel=" + channel_,
                        "{\"acks\":[" + std::to_string(*id) + "]}"};
    }
    bool is_stored(const HttpAnswer& answer) const override { return is_splunk_acknowledged(answer.body); }
    std::string_view body(const Batch& batch, std::string& body) const override {
        body.clear();
        for (const std::string_view line : batch.texts()) {
            body += "{";
            if (const uint64_t time = time_of(line)) {
                const std::string milliseconds = std::to_string(time / 1'000'000 % 1000);
                body += "\"time\":" + std::to_string(time / 1'000'000'000) + "." +
                        std::string(3 - milliseconds.size(), '0') + milliseconds + ",";
            }
            body += R"("host":")" + host_ + R"(","source":"ebpf_telemetry","sourcetype":"_json","event":)";
            body.append(line).append("}\n");
        }
        return body;
    }

  private:
    const std::string host_ = escaped(host_name());
    const std::string channel_ = random_uuid();
};

class Loki final : public HttpDialect {
  public:
    std::string path() const override { return "/loki/api/v1/push"; }
    std::string_view body(const Batch& batch, std::string& body) const override {
        body = R"({"streams":[{"stream":{"job":"ebpf_telemetry","host":")" + host_ + R"("},"values":[)";
        for (const std::string_view line : batch.texts()) {
            if (body.back() != '[')
                body += ',';
            body += "[\"" + std::to_string(time_of(line)) + "\",\"" + escaped(line) + "\"]";
        }
        return body += "]}]}";
    }

  private:
    const std::string host_ = escaped(host_name());
};

/// Datadog's log intake, version 2 of its HTTP API.
class Datadog final : public HttpDialect {
  public:
    explicit Datadog(const DatadogSource& source)
        : path_(source.path), before_(R"({"ddsource":")" + escaped(source.source) + R"(","service":")" +
                                      escaped(source.service) + R"(","hostname":")" + escaped(host_name()) +
                                      (source.tags.empty() ? "" : R"(","ddtags":")" + escaped(source.tags)) +
                                      R"(","message":")") {}

    std::string path() const override { return path_; }
    std::string_view body(const Batch& batch, std::string& body) const override {
        body = "[";
        for (const std::string_view line : batch.texts()) {
            body += body.size() == 1 ? "" : ",";
            body.append(before_).append(escaped(line)).append("\"}");
        }
        return body += "]";
    }

  private:
    const std::string path_, before_; ///< what stands before a line
};

/// Logs of OpenTelemetry, as JSON over HTTP.
class Otlp final : public HttpDialect {
  public:
    std::string path() const override { return "/v1/logs"; }
    std::string_view body(const Batch& batch, std::string& body) const override {
        body = R"({"resourceLogs":[{"resource":{"attributes":[)" + attribute("host.name", host_) + "," +
               attribute("service.name", "ebpf_telemetry") +
               R"(]},"scopeLogs":[{"scope":{"name":"ebpf_telemetry"},"logRecords":[)";
        for (const std::string_view line : batch.texts()) {
            if (body.back() != '[')
                body += ',';
            body += R"({"timeUnixNano":")" + std::to_string(time_of(line)) +
                    R"(","severityNumber":9,"severityText":"INFO","body":{"stringValue":")" + escaped(line) +
                    R"("},"attributes":[)" + attribute("event.id", std::string(event_id_of(line))) + "]}";
        }
        return body += "]}]}]}";
    }
    Answer judge(const HttpAnswer& answer, const Batch& batch) const override {
        return judge_otlp(answer.body, batch.items.size());
    }

  private:
    static std::string attribute(const std::string& key, const std::string& value) {
        return R"({"key":")" + key + R"(","value":{"stringValue":")" + value + "\"}}";
    }
    const std::string host_ = escaped(host_name());
};

/// It becomes part of a URL, and of SQL.
std::string identifier(const Settings& settings, std::string_view key, const std::string& usual) {
    std::string value = settings.has(key) ? settings.text(key) : usual;
    const auto is_fine = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    };
    if (!std::ranges::all_of(value, is_fine))
        settings.refuse(key, "has letters, digits, _, - and . alone, unlike " + in_quotes(value));
    return value;
}

DatadogSource datadog_source(const Settings& settings) {
    DatadogSource source;
    if (settings.has("ddsource"))
        source.source = settings.text("ddsource");
    if (settings.has("service"))
        source.service = settings.text("service");
    source.tags = settings.text("ddtags");
    return source;
}

} // namespace

std::unique_ptr<HttpDialect> make_datadog_dialect(const DatadogSource& source) {
    return std::make_unique<Datadog>(source);
}

const std::vector<HttpDialectKind>& http_dialects() {
    static const std::vector<HttpDialectKind> all = {
        {"ndjson",
         [](const Settings&) -> std::unique_ptr<HttpDialect> { return std::make_unique<Ndjson>(); }},
        {"elastic",
         [](const Settings& settings) -> std::unique_ptr<HttpDialect> {
             return std::make_unique<Elastic>(
                 identifier(settings, "index", "logs-ebpf_telemetry.events-default"));
         }},
        {"clickhouse",
         [](const Settings& settings) -> std::unique_ptr<HttpDialect> {
             constexpr const char* formats[] = {"LineAsString", "JSONAsString", "JSONEachRow"};
             return std::make_unique<ClickHouse>(
                 identifier(settings, "table", "telemetry.ingest"),
                 formats[settings.choice("insert_format", {"LineAsString", "JSONAsString", "JSONEachRow"})]);
         }},
        {"splunk", [](const Settings&) -> std::unique_ptr<HttpDialect> { return std::make_unique<Splunk>(); },
         "Authorization: Splunk ", 10'000}, // TRUNCATE of a source type
        {"loki", [](const Settings&) -> std::unique_ptr<HttpDialect> { return std::make_unique<Loki>(); },
         "Authorization: Bearer ", 250 << 10}, // max_line_size is 256 KB
        {"datadog", [](const Settings& settings) { return make_datadog_dialect(datadog_source(settings)); },
         "DD-API-KEY: ", longest_datadog_line},
        {"otlp", [](const Settings&) -> std::unique_ptr<HttpDialect> { return std::make_unique<Otlp>(); }},
    };
    return all;
}

Answer judge_status(const HttpAnswer& answer) {
    using Result = Answer::Result;
    if (answer.status == 0)
        return {Result::again, answer.error, {}, {}};
    if (answer.is_success())
        return {Result::taken, {}, {}, {}};
    const std::string error = "the server answered " + std::to_string(answer.status) +
                              (answer.body.empty() ? "" : ": " + in_quotes(answer.body, 200));
    constexpr long bad_request = 400, too_large = 413, unprocessable = 422;
    if (answer.status == too_large)
        return {Result::too_large, error, {}, {}};
    if (answer.status == bad_request || answer.status == unprocessable)
        return {Result::refused, error, {}, {}};
    return {Result::again, error, answer.retry_after, {}}; // a wrong password too: somebody will put it right
}

} // namespace telemetry
