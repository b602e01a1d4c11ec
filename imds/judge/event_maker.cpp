// SPDX-License-Identifier: MIT
#include "imds/judge/event_maker.hpp"

#include <utility>

namespace telemetry::imds {
namespace {

bool is_other_process(const SharedCaller& a, const SharedCaller& b) {
    if (!a || !b)
        return false;
    const Event& first = a->process.event();
    const Event& second = b->process.event();
    return first.pid != second.pid || first.start_time_ns != second.start_time_ns;
}

} // namespace

ImdsEvent EventMaker::event_of(const Connection& connection, Reading&& reading, SharedCaller caller,
                               SharedCaller reader) {
    scrubber_.begin(reading.time_ns);
    ImdsEvent event;
    static_cast<ImdsFacts&>(event) = reading;
    event.connection = connection;
    if (scrubs_) // before any text of the event is made, so that none contains the secrets of this exchange
        for (const Secret& secret : reading.secrets)
            scrubber_.learn(connection.netns, secret.open(SecretAccess()));
    put_texts(event, reading);
    event.target = std::move(reading.target);
    event.request_body = std::move(reading.request_body);
    event.response_body = std::move(reading.response_body);
    if (is_other_process(caller, reader))
        event.reader = std::move(reader);
    event.caller = std::move(caller);
    put_processes(event);
    return event;
}

void EventMaker::put_texts(ImdsEvent& event, const Reading& reading) {
    const std::pair<PublicText*, Reading::Text> texts[] = {{&event.method, Reading::method},
                                                           {&event.path, Reading::path},
                                                           {&event.query, Reading::query},
                                                           {&event.host, Reading::host},
                                                           {&event.user_agent, Reading::user_agent},
                                                           {&event.server, Reading::server},
                                                           {&event.content_type, Reading::content_type}};
    for (const auto& [text, from] : texts)
        *text = public_text(event, reading.texts[from]);
    for (const Reading::Field& field : reading.fields)
        event.fields.push_back({body_field_names.at(field.name), public_text(event, field.value)});
}

void EventMaker::put_processes(ImdsEvent& event) {
    const uint32_t netns = event.connection.netns;
    if (event.caller)
        event.ancestors = Lineage::ancestors(event.caller->lineage, most_ancestors);
    if (!scrubs_)
        return;
    event.caller = scrubber_.scrubbed(netns, event.caller);
    event.reader = scrubber_.scrubbed(netns, event.reader);
    for (auto& ancestor : event.ancestors)
        ancestor = scrubber_.scrubbed(netns, ancestor);
}

PublicText EventMaker::public_text(const ImdsEvent& event, const Secret& text) {
    const SecretAccess access;
    const std::string_view bytes = text.open(access);
    return {scrubs_ ? scrubber_.without_known(event.connection.netns, bytes) : std::string(bytes), access};
}

} // namespace telemetry::imds
