// SPDX-License-Identifier: MIT
#include "imds/output/formatter.hpp"
#include "imds/output/json_caller.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/head.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/json/notes.hpp"
#include "telemetry/output/network/address.hpp"

namespace telemetry::imds {
namespace {

/// One object a line; docs/imds.md describes every field.
class JsonFormatter final : public ImdsFormatter {
  public:
    explicit JsonFormatter(const ImdsFormatOptions& options);

    void format(const ImdsEvent& event, std::string& out) override;

  private:
    void put_event(const ImdsEvent& event);
    void put_cloud(const ImdsEvent& event);
    void put_url(const ImdsEvent& event);
    void put_http(const ImdsEvent& event);
    void put_http_response(const ImdsEvent& event);
    void put_network(const ImdsEvent& event);
    void put_imds(const ImdsEvent& event);
    void put_remarks(const ImdsEvent& event);
    void put_fields(const ImdsEvent& event);
    void put_stack(const CallStack& stack);
    void put_frame(const StackFrame& frame, int index);
    void put_body(const FieldName& name, uint64_t bytes, const Secret& content);

    /// The next member of an object that `key` begins.
    template <size_t N>
    void put_string(const char (&key)[N], const FieldName& name, const PublicText& value) {
        if (value.empty())
            return;
        line_.key(key);
        line_.put_string(name, value.text());
    }

    ImdsFormatOptions options_;
    JsonLine line_;
    Timestamp time_;
    JsonCaller caller_;
    std::string head_; ///< what follows the time in every line
    std::string id_;   ///< the start of every event.id
    uint64_t events_ = 0;
    std::string tier_;
};

JsonFormatter::JsonFormatter(const ImdsFormatOptions& options)
    : options_(options), caller_(options.context), head_(json_head(options.context, "imds")),
      id_(json_event_id(options.context)) {
    tier_ = R"("telemetry":{"tier":")" + json_escaped(options.context.tier) + '"';
}

void JsonFormatter::format(const ImdsEvent& event, std::string& out) {
    static const Event nobody;
    line_.clear();
    line_.put("{\"@timestamp\":\"");
    time_.put(line_, event.time_ns);
    line_.put(head_);
    put_event(event);
    put_cloud(event);
    if (event.has_request)
        put_url(event);
    if (event.kind == ImdsEvent::Kind::request)
        put_http(event);
    put_network(event);
    if (event.caller)
        caller_.put(line_, *event.caller, event.ancestors);
    line_.put(",\"linux\":{");
    put_imds(event);
    if (event.caller)
        caller_.put_linux(line_, *event.caller, event.ancestors);
    line_.next();
    line_.put(tier_);
    put_json_notes(line_, event.caller ? event.caller->process.event() : nobody);
    line_.put("}}}\n");
    out.append(line_.view());
}

void JsonFormatter::put_event(const ImdsEvent& event) {
    line_.put(id_);
    line_.put("imds-");
    line_.put_decimal(++events_);
    line_.put(R"(","kind":"event",)");
    if (event.kind == ImdsEvent::Kind::connection) {
        line_.put(R"("action":"imds_connection","category":["network"],"type":["connection","info"],)"
                  R"("outcome":"unknown"})");
        return;
    }
    line_.put(R"("action":"imds_request","category":["network","web"],"type":["connection","access"],)");
    if (!event.has_response)
        line_.put(R"("outcome":"unknown")");
    else if (event.status < 400)
        line_.put(R"("outcome":"success")");
    else
        line_.put(R"("outcome":"failure")");
    if (event.latency_ns) {
        line_.put(",\"duration\":");
        line_.put_decimal(*event.latency_ns);
    }
    line_.put('}');
}

void JsonFormatter::put_cloud(const ImdsEvent& event) {
    const std::string_view provider = cloud_provider(event.provider);
    if (provider.empty())
        return;
    line_.put(",\"cloud\":{\"provider\":");
    line_.put_quoted(provider);
    if (event.provider == Provider::ecs || event.provider == Provider::eks) {
        line_.put(",\"service\":{\"name\":");
        line_.put_quoted(provider_name(event.provider));
        line_.put('}');
    }
    line_.put('}');
}

void JsonFormatter::put_url(const ImdsEvent& event) {
    const Address address = remote_end(event.connection.ends);
    line_.put(",\"url\":{\"original\":\""); // written from path and query
    put_json_escaped(line_, event.path.text());
    if (event.has_query) {
        line_.put('?');
        put_json_escaped(line_, event.query.text());
    }
    line_.put("\",\"scheme\":\"http\"");
    put_string("\"domain\":", {"url.domain"}, event.host);
    line_.put(",\"port\":");
    line_.put_decimal(address.port);
    put_string("\"path\":", {"url.path"}, event.path);
    if (event.has_query)
        put_string("\"query\":", {"url.query"}, event.query);
    line_.put('}');
}

void JsonFormatter::put_http(const ImdsEvent& event) {
    line_.put(",\"http\":{");
    if (event.has_request) {
        line_.put("\"request\":{");
        put_string("\"method\":", {"http.request.method"}, event.method);
        put_body({"http.request.body.content"}, event.request_body_bytes, event.request_body);
        line_.put('}');
    }
    if (event.has_response)
        put_http_response(event);
    line_.put('}');
    if (event.user_agent.empty())
        return;
    line_.put(",\"user_agent\":{");
    put_string("\"original\":", {"user_agent.original"}, event.user_agent);
    line_.put('}');
}

void JsonFormatter::put_http_response(const ImdsEvent& event) {
    line_.key("\"response\":{\"status_code\":");
    line_.put_decimal(event.status);
    put_string("\"mime_type\":", {"http.response.mime_type"}, event.content_type);
    put_body({"http.response.body.content"}, event.response_body_bytes, event.response_body);
    line_.put('}');
}

/// Writes bodies; only with --unsafe.
void JsonFormatter::put_body(const FieldName& name, uint64_t bytes, const Secret& content) {
    line_.key("\"body\":{\"bytes\":");
    line_.put_decimal(bytes);
    if (options_.unsafe && !content.empty()) {
        line_.put(",\"content\":");
        line_.put_string(name, options_.unsafe->open(content));
    }
    line_.put('}');
}

void JsonFormatter::put_network(const ImdsEvent& event) {
    Event socket;
    socket.socket = event.connection.ends;
    socket.socket_status = Status::ok;
    const Ends ends = {.named = remote_end(event.connection.ends),
                       .from_sockaddr = false,
                       .local = local_end(event.connection.ends),
                       .remote = remote_end(event.connection.ends)};
    put_json_network(line_, socket, ends, SocketRole::egress, nullptr);
}

void JsonFormatter::put_imds(const ImdsEvent& event) {
    line_.put("\"imds\":{\"provider\":");
    line_.put_quoted(provider_name(event.provider));
    if (event.kind == ImdsEvent::Kind::connection) {
        line_.put(",\"connection\":{\"content\":");
        line_.put_quoted(content_name(event.connection_content));
        line_.put(",\"sent\":");
        line_.put_decimal(event.sent);
        line_.put(",\"received\":");
        line_.put_decimal(event.received);
        line_.put('}');
    } else {
        line_.put(",\"version\":");
        line_.put_quoted(version_name(event.version));
        line_.put(",\"class\":");
        line_.put_quoted(class_name(event.request_class));
        put_fields(event);
        put_remarks(event);
    }
    if (event.connection.netns) {
        line_.put(",\"netns\":");
        line_.put_quoted_number(event.connection.netns);
    }
    if (event.caller)
        put_stack(event.caller->user_stack);
    if (event.reader) {
        line_.put(",\"reader\":{");
        caller_.put_reader(line_, *event.reader);
        line_.put('}');
    }
    line_.put('}');
}

void JsonFormatter::put_stack(const CallStack& stack) {
    if (stack.frames.empty())
        return;
    line_.put(",\"user_stack\":[");
    int index = 0;
    for (const StackFrame& frame : stack.frames) {
        line_.next();
        put_frame(frame, index++);
    }
    line_.put("],\"user_stack_end\":");
    line_.put_quoted(stack_end_name(stack.end));
}

void JsonFormatter::put_frame(const StackFrame& frame, int index) {
    const auto put_hex = [&](uint64_t value) {
        line_.put("\"0x");
        line_.put_hex(value);
        line_.put('"');
    };
    line_.put("{\"address\":");
    put_hex(frame.address);
    if (!frame.module.empty()) {
        line_.put(",\"module\":");
        line_.put_string({"linux.imds.user_stack", index, "module"}, frame.module);
    }
    if (frame.module_offset) {
        line_.put(",\"module_offset\":");
        put_hex(*frame.module_offset);
    }
    if (!frame.symbol.empty()) {
        line_.put(",\"symbol\":");
        line_.put_string({"linux.imds.user_stack", index, "symbol"}, frame.symbol);
        line_.put(",\"symbol_offset\":");
        put_hex(frame.symbol_offset);
    }
    if (!frame.build_id.empty()) {
        line_.put(",\"build_id\":");
        line_.put_quoted(frame.build_id);
    }
    if (frame.is_guess)
        line_.put(",\"frame_pointer\":true");
    if (frame.is_too_costly)
        line_.put(",\"too_costly\":true");
    line_.put('}');
}

void JsonFormatter::put_fields(const ImdsEvent& event) {
    for (const BodyField& field : event.fields) {
        line_.next();
        line_.put_quoted(field.name);
        line_.put(':');
        line_.put_string({"linux.imds", -1, field.name}, field.value.text());
    }
    put_string("\"server\":", {"linux.imds.server"}, event.server);
    if (event.content_length) {
        line_.put(",\"content_length\":");
        line_.put_decimal(*event.content_length);
    }
}

void JsonFormatter::put_remarks(const ImdsEvent& event) {
    if (event.has_token)
        line_.put(",\"token\":true");
    if (event.has_forwarded)
        line_.put(",\"forwarded\":true");
    if (event.end != Exchange::End::answered) {
        line_.put(",\"end\":");
        line_.put_quoted(end_name(event.end));
    }
    if (event.has_response && !event.is_response_complete)
        line_.put(",\"incomplete\":true");
    if (event.response_body_missing) {
        line_.put(",\"not_captured\":");
        line_.put_decimal(event.response_body_missing);
    }
    if (event.is_body_packed)
        line_.put(",\"packed\":true");
    if (event.is_cut)
        line_.put(",\"cut\":true");
    if (event.is_uncertain)
        line_.put(",\"uncertain\":true");
    if (event.is_late)
        line_.put(",\"late\":true");
    if (options_.unsafe && !event.target.empty()) {
        line_.put(",\"target\":");
        line_.put_string({"linux.imds.target"}, options_.unsafe->open(event.target));
    }
}

} // namespace

std::unique_ptr<ImdsFormatter> make_imds_json_formatter(const ImdsFormatOptions& options) {
    return std::make_unique<JsonFormatter>(options);
}

} // namespace telemetry::imds
