// SPDX-License-Identifier: MIT
#include "imds/judge/redactor.hpp"

#include <algorithm>
#include <utility>

#include "imds/http/content_coding.hpp"
#include "imds/http/request_path.hpp"
#include "imds/judge/body_fields.hpp"
#include "imds/judge/redaction.hpp"

namespace telemetry::imds {
namespace {

bool hands_out_secrets(const Reading& reading) {
    return reading.request_class == RequestClass::token ||
           reading.request_class == RequestClass::credentials ||
           reading.request_class == RequestClass::identity;
}

/// Only the bodies of these classes have documented fields; user data, for one, has none.
bool may_have_fields(const Reading& reading) {
    return reading.request_class == RequestClass::credentials ||
           reading.request_class == RequestClass::identity;
}

} // namespace

Reading Redactor::read(ProviderSet candidates, Exchange&& exchange, Provider known) {
    plain_body_.reset();
    Reading reading;
    reading.end = exchange.end;
    reading.is_uncertain = exchange.is_uncertain;
    reading.is_late = exchange.is_late;
    ClassifierInput input{.candidates = candidates, .known = known};
    TargetParts target;
    if (exchange.request) {
        input.request = &exchange.request->head;
        target = split_target(exchange.request->head.target.open(SecretAccess()));
        input.path = path_segments(target.path);
        input.query = target.query;
    }
    if (exchange.response)
        input.response = &exchange.response->head;
    const Classification classification = classify(input);
    reading.is_proved = classification.is_proved;
    reading.provider = classification.provider;
    reading.version = exchange.is_uncertain && !exchange.request ? Version::unknown : classification.version;
    reading.request_class = classification.request_class;
    if (exchange.response && hands_out_secrets(reading))
        plain_body_ = unpacked(exchange.response->body.open(SecretAccess()), exchange.response->head.coding);
    if (!is_unsafe_)
        put_secrets(reading, exchange);
    if (exchange.request && exchange.response && exchange.response->begin_ns >= exchange.request->end_ns)
        reading.latency_ns = exchange.response->begin_ns - exchange.request->end_ns;
    if (exchange.request)
        put_request(reading, *exchange.request);
    if (exchange.response)
        put_response(reading, *exchange.response);
    return reading;
}

Reading Redactor::read(ProviderSet candidates, const ConnectionReport& report, Provider known) {
    Reading reading;
    reading.kind = ImdsFacts::Kind::connection;
    reading.provider = candidates.only();
    if (reading.provider == Provider::unknown && candidates.has(known))
        reading.provider = known;
    reading.time_ns = report.time_ns;
    reading.caller = report.caller;
    reading.connection_content = report.content;
    reading.sent = report.sent;
    reading.received = report.received;
    return reading;
}

void Redactor::put_secrets(Reading& reading, const Exchange& exchange) {
    if (exchange.request)
        reading.secrets = exchange.request->head.tokens;
    if (plain_body_)
        for (std::string& secret : find_secrets(*plain_body_))
            reading.secrets.emplace_back(std::move(secret));
}

void Redactor::put_request(Reading& reading, Message& request) {
    const Head& head = request.head;
    reading.has_request = true;
    reading.time_ns = request.begin_ns;
    reading.caller = request.caller;
    reading.texts[Reading::method] = Secret(redacted_method(head.method));
    reading.texts[Reading::host] = Secret(redacted_host(head[TextHeader::host]));
    reading.texts[Reading::user_agent] = Secret(head[TextHeader::user_agent]);
    reading.has_token = head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::alibaba_token) ||
                        head.has(MarkerHeader::akamai_token);
    reading.has_forwarded = head.has(MarkerHeader::forwarded_for);
    reading.request_body_bytes = request.body_bytes;
    reading.is_cut |= head.is_cut;
    put_target(reading, head);
    if (!is_unsafe_)
        return;
    reading.target = std::move(request.head.target);
    reading.request_body = std::move(request.body);
}

void Redactor::put_target(Reading& reading, const Head& head) {
    const TargetParts target = split_target(head.target.open(SecretAccess()));
    std::string path = redacted_path(target, reading.provider);
    if (head.target_length > head.target.size() && !target.has_query)
        path += redacted(head.target_length - head.target.size());
    reading.texts[Reading::path] = Secret(std::move(path));
    std::string query = redacted_query(target.query);
    if (target.has_fragment)
        query += '#' + redacted(target.fragment.size());
    reading.texts[Reading::query] = Secret(std::move(query));
    reading.has_query = target.has_query || target.has_fragment;
    Secret& host = reading.texts[Reading::host];
    if (!target.authority.empty() && host.empty())
        host = Secret(redacted_host(target.authority));
}

void Redactor::put_response(Reading& reading, Message& response) {
    const Head& head = response.head;
    reading.has_response = true;
    reading.status = head.status;
    reading.texts[Reading::server] = Secret(head[TextHeader::server]);
    reading.texts[Reading::content_type] = Secret(head[TextHeader::content_type]);
    if (head.has_length)
        reading.content_length = head.content_length;
    reading.response_body_bytes = response.body_bytes;
    reading.response_body_missing = response.body_missing;
    reading.is_response_complete = response.is_complete;
    reading.is_cut |= head.is_cut;
    if (!reading.has_request) {
        reading.time_ns = response.begin_ns;
        reading.caller = response.caller;
    } else if (reading.caller != response.caller) {
        reading.reader = response.caller;
    }
    if (may_have_fields(reading) && plain_body_)
        put_fields(reading, *plain_body_);
    reading.is_body_packed = may_have_fields(reading) && !plain_body_ && response.body_bytes > 0;
    if (is_unsafe_)
        reading.response_body = std::move(response.body);
}

void Redactor::put_fields(Reading& reading, std::string_view body) {
    for (FoundField& field : find_body_fields(body))
        reading.fields.push_back({static_cast<uint8_t>(field.name), Secret(std::move(field.value))});
}

} // namespace telemetry::imds
