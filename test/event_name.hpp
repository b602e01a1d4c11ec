// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/event/facts.hpp"

namespace telemetry {

/// The system call's name or the process event's; "unknown" for a call that has no name here.
inline std::string_view event_name(const Event& event) {
    const std::string_view process = process_event_name(event.kind);
    return !process.empty() ? process : event.call ? std::string_view(event.call->name) : "unknown";
}

} // namespace telemetry
