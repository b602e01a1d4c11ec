// SPDX-License-Identifier: MIT
#include "imds/judge/redactor.hpp"

#include <utility>

#include "imds/http/content_coding.hpp"
#include "imds/http/request_path.hpp"
#include "imds/judge/body_fields.hpp"
#include "imds/judge/redaction.hpp"

namespace telemetry::imds {
namespace {

bool is_other_process(const SharedCaller& a, const SharedCaller& b) {
    if (!a || !b)
        return false;
    const Event& first = a->process.event();
    const Event& second = b->process.event();
    return first.pid != second.pid || first.start_time_ns != second.start_time_ns;
}

bool hands_out_secrets(const ImdsEvent& event) {
    return event.request_class == RequestClass::token || event.request_class == RequestClass::credentials ||
           event.request_class == RequestClass::identity;
}

/// Only the bodies of these classes have documented fields; user data, for one, has none.
bool may_have_fields(const ImdsEvent& event) {
    return event.request_class == RequestClass::credentials || event.request_class == RequestClass::identity;
}

} // namespace

void Redactor::begin(const Connection& connection) {
    netns_ = connection.netns;
    plain_body_.reset();
    scrubber_.begin();
}

ImdsEvent Redactor::event_of(const Connection& connection, Exchange&& exchange, Provider known,
                             bool& is_proved) {
    begin(connection);
    ImdsEvent event;
    event.connection = connection;
    event.end = exchange.end;
    event.is_uncertain = exchange.is_uncertain;
    event.is_late = exchange.is_late;
    ClassifierInput input{.candidates = connection.providers, .known = known};
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
    is_proved = classification.is_proved;
    event.provider = classification.provider;
    event.version = exchange.is_uncertain && !exchange.request ? Version::unknown : classification.version;
    event.request_class = classification.request_class;
    if (exchange.response && hands_out_secrets(event))
        plain_body_ = unpacked(exchange.response->body.open(SecretAccess()), exchange.response->head.coding);
    learn(event, exchange);
    if (exchange.request)
        put_request(event, *exchange.request);
    if (exchange.response)
        put_response(event, *exchange.response);
    if (exchange.request && exchange.response && exchange.response->begin_ns >= exchange.request->end_ns)
        event.latency_ns = exchange.response->begin_ns - exchange.request->end_ns;
    put_processes(event);
    return event;
}

ImdsEvent Redactor::event_of(const Connection& connection, ConnectionReport&& report, Provider known) {
    begin(connection);
    ImdsEvent event;
    event.kind = ImdsEvent::Kind::connection;
    event.connection = connection;
    event.provider = connection.providers.only();
    if (event.provider == Provider::unknown && connection.providers.has(known))
        event.provider = known;
    event.time_ns = report.time_ns;
    event.caller = std::move(report.caller);
    event.connection_content = report.content;
    event.sent = report.sent;
    event.received = report.received;
    put_processes(event);
    return event;
}

/// Has to run before any text of the event is made, so that none contains the secrets of this exchange.
void Redactor::learn(const ImdsEvent& event, const Exchange& exchange) {
    if (!scrubs_)
        return;
    const SecretAccess access;
    if (exchange.request)
        for (const Secret& token : exchange.request->head.tokens)
            scrubber_.learn(netns_, token.open(access));
    if (plain_body_ && hands_out_secrets(event))
        scrubber_.learn_body(netns_, *plain_body_);
}

void Redactor::put_processes(ImdsEvent& event) {
    if (event.caller)
        event.ancestors = Lineage::ancestors(event.caller->lineage, most_ancestors);
    if (!scrubs_)
        return;
    event.caller = scrubber_.scrubbed(netns_, event.caller);
    event.reader = scrubber_.scrubbed(netns_, event.reader);
    for (auto& ancestor : event.ancestors)
        ancestor = scrubber_.scrubbed(netns_, ancestor);
}

PublicText Redactor::public_text(std::string_view text) {
    return {scrubs_ ? scrubber_.without_known(netns_, text) : std::string(text), SecretAccess()};
}

void Redactor::put_request(ImdsEvent& event, Message& request) {
    const Head& head = request.head;
    event.has_request = true;
    event.time_ns = request.begin_ns;
    event.caller = request.caller;
    event.method = public_text(redacted_method(head.method));
    event.host = public_text(redacted_host(head[TextHeader::host]));
    event.user_agent = public_text(head[TextHeader::user_agent]);
    event.has_token = head.has(MarkerHeader::aws_token) || head.has(MarkerHeader::alibaba_token) ||
                      head.has(MarkerHeader::akamai_token);
    event.has_forwarded = head.has(MarkerHeader::forwarded_for);
    event.request_body_bytes = request.body_bytes;
    event.is_cut |= head.is_cut;
    put_target(event, head);
    event.target = std::move(request.head.target);
    event.request_body = std::move(request.body);
}

void Redactor::put_target(ImdsEvent& event, const Head& head) {
    const SecretAccess access;
    const TargetParts target = split_target(head.target.open(access));
    std::string path = redacted_path(target, event.provider);
    if (head.target_length > head.target.size() && !target.has_query)
        path += redacted(head.target_length - head.target.size());
    event.path = public_text(path);
    event.has_query = target.has_query;
    std::string query = redacted_query(target.query);
    if (target.has_fragment)
        query += '#' + redacted(target.fragment.size());
    event.query = public_text(query);
    event.has_query |= target.has_fragment;
    if (!target.authority.empty() && event.host.empty())
        event.host = public_text(redacted_host(target.authority));
}

void Redactor::put_response(ImdsEvent& event, Message& response) {
    const Head& head = response.head;
    event.has_response = true;
    event.status = head.status;
    event.server = public_text(head[TextHeader::server]);
    event.content_type = public_text(head[TextHeader::content_type]);
    if (head.has_length)
        event.content_length = head.content_length;
    event.response_body_bytes = response.body_bytes;
    event.response_body_missing = response.body_missing;
    event.is_response_complete = response.is_complete;
    event.is_cut |= head.is_cut;
    if (!event.has_request) {
        event.time_ns = response.begin_ns;
        event.caller = response.caller;
    } else if (is_other_process(event.caller, response.caller)) {
        event.reader = response.caller;
    }
    if (may_have_fields(event) && plain_body_)
        put_fields(event, *plain_body_);
    event.is_body_packed = may_have_fields(event) && !plain_body_ && response.body_bytes > 0;
    event.response_body = std::move(response.body);
}

void Redactor::put_fields(ImdsEvent& event, std::string_view body) {
    for (const FoundField& field : find_body_fields(body))
        event.fields.push_back({field.name, public_text(field.value)});
}

} // namespace telemetry::imds
