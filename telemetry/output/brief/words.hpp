// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// What an event is called on a screen.
struct BriefWords {
    std::string_view verb;           ///< "exec", "open w", "unlink"
    bool changes_privileges = false; ///< it acts for somebody else from now on, or tried to
};
BriefWords brief_words(const Event& event);

} // namespace telemetry
