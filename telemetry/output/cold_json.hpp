// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <nlohmann/json.hpp>

namespace telemetry {

/// JSON that is made now and then, not for each event: as one line, in ASCII whatever the strings hold.
inline std::string json_as_line(const nlohmann::ordered_json& object) {
    return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + '\n';
}

} // namespace telemetry
