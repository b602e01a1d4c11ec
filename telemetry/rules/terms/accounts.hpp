// SPDX-License-Identifier: MIT
// Users and groups by name, as they are when the rules are read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/rules/fields.hpp"

namespace telemetry::rules::terms {

/// From now on users and groups are those of the files below this folder; "", as at first: below /. To be
/// called before rules are read.
void find_accounts_below(const std::string& root);
/// The file that has them: /etc/passwd or /etc/group, with that folder before it.
std::string id_file(Ids ids);
/// In a file in the form of passwd(5) or group(5); of several lines with the name the first counts.
std::optional<uint32_t> find_id(const std::string& file, std::string_view name);
std::optional<uint32_t> find_id(Ids ids, std::string_view name);

} // namespace telemetry::rules::terms
