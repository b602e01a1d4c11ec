// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// What an event is called on a screen.
struct BriefWords {
    std::string_view verb;           ///< "exec", "open w", "unlink"
    bool changes_privileges = false; ///< it acts for somebody else from now on, or tried to; or others
                                     ///< will who execute the file
};
BriefWords brief_words(const Event& event);

/// The mode that a call gives to a file that is there.
std::optional<uint32_t> given_mode(const Event& event);

} // namespace telemetry
