// SPDX-License-Identifier: MIT
#include "telemetry/activity/event_counter.hpp"

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/process/lineage.hpp"

namespace telemetry {

namespace {

std::string_view container_of(const Event& event) {
    return event.lineage ? std::string_view(event.lineage->facts.container.id) : std::string_view();
}

std::string_view call_of(const Event& event) {
    if (event.call)
        return event.call->name;
    const std::string_view name = process_event_name(event.kind);
    return name.empty() ? "?" : name;
}

} // namespace

/// For whom it acts. The names of this machine are not those of a container.
std::string_view EventCounter::user_of(const Event& event) {
    if (event.missing & EBT_MISSING_CREDENTIALS)
        return "?";
    if (container_of(event).empty())
        if (const std::string_view name = names_.user(event.euid); !name.empty())
            return name;
    digits_.clear();
    digits_.put_decimal(event.euid);
    return digits_.view();
}

void EventCounter::count(const Event& event, const rules::ChosenRule& rule, uint64_t bytes,
                         Activity& activity) {
    names_.refresh();
    CountedEvent counted;
    if (event.image.exe.known())
        counted.executable = event.image.exe.bytes;
    counted.user = user_of(event);
    counted.container = container_of(event);
    counted.call = call_of(event);
    counted.rule = rule;
    counted.times = event.fold ? event.fold->count : 1;
    counted.failed = outcome_of(event) == Outcome::failure;
    counted.bytes = bytes;
    counted.process = {.id = mixed(event.pid, event.start_time_ns),
                       .place = mixed(0, event.pid),
                       .pid = event.pid,
                       .name = process_name(event),
                       .user = counted.user,
                       .container = counted.container,
                       .last = counted.call,
                       .lineage = event.lineage};
    activity.count(counted);
}

} // namespace telemetry
