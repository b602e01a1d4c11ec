// SPDX-License-Identifier: MIT
#include "telemetry/output/brief/words.hpp"

#include <fcntl.h>
#include <sys/stat.h>

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

/// A file that is executed with the rights of its owner or group.
bool sets_id(const Event& event) {
    return given_mode(event).value_or(0) & (S_ISUID | S_ISGID);
}

} // namespace

std::optional<uint32_t> given_mode(const Event& event) {
    if (!event.call || event.call->event_class != ebpf_loader::EventClass::file_attributes ||
        (event.missing & EBT_MISSING_ARGS))
        return std::nullopt;
    for (size_t i = 0; i < event.call->arguments; ++i)
        if (event.call->argument[i].kind == ebpf_loader::ArgKind::mode)
            return static_cast<uint32_t>(event.args[i]);
    return std::nullopt;
}

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
    case EventClass::file_attributes:
        return {event.call->name, sets_id(event)};
    default:
        return {event.call->name, event.call->name == "capset"};
    }
}

} // namespace telemetry
