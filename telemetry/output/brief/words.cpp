// SPDX-License-Identifier: MIT
#include "telemetry/output/brief/words.hpp"

#include <fcntl.h>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"

namespace telemetry {
namespace {

std::string_view open_verb(const Event& event) {
    switch (what_open_did(event, open_flags_of(*event.call))) {
    case Opened::created:
        return "open new";
    case Opened::truncated:
        return "open trunc";
    case Opened::for_writing:
        return "open w";
    default:
        return "open r";
    }
}

} // namespace

BriefWords brief_words(const Event& event) {
    using ebpf_loader::EventClass;
    const bool acts_for_other = !(event.missing & EBT_MISSING_CREDENTIALS) && event.uid != event.euid;
    switch (event.kind) {
    case EBT_FORK:
        return {"fork"};
    case EBT_EXEC:
        return {"exec", acts_for_other};
    case EBT_EXIT:
        return {"exit"};
    default:
        break;
    }
    if (!event.call)
        return {"call"};
    switch (event.call->event_class) {
    case EventClass::process_exec:
        return {"exec", acts_for_other && event.success()};
    case EventClass::process_fork:
        return {"fork"};
    case EventClass::process_end:
        return {"exit"};
    case EventClass::file_open:
        return {open_verb(event)};
    case EventClass::user_change:
    case EventClass::group_change:
        return {event.call->name, true};
    default:
        return {event.call->name, event.call->name == "capset"};
    }
}

} // namespace telemetry
