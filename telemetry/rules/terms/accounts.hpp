// SPDX-License-Identifier: MIT
// Users and groups by name, as they are when the rules are read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/rules/fields.hpp"

namespace telemetry::rules::terms {

/// The file that has them: /etc/passwd or /etc/group.
std::string id_file(Ids ids);
/// In a file in the form of passwd(5) or group(5); of several lines with the name the first counts.
std::optional<uint32_t> find_id(const std::string& file, std::string_view name);
std::optional<uint32_t> find_id(Ids ids, std::string_view name);

} // namespace telemetry::rules::terms
