// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace telemetry::report {

/// What an event is about, as a page sorts and colours them; page/model.js has the same order.
enum class Kind : uint8_t { exec, process, file, network, credentials, other, loss, state };

Kind kind_of(const nlohmann::json& event);

/// What it happened to: a command line, a path, an address, a child, ids.
std::string object_of(const nlohmann::json& event, Kind kind);

/// How: the names of flags, and other arguments that say something to people.
std::string detail_of(const nlohmann::json& event, Kind kind);

} // namespace telemetry::report
