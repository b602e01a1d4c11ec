// SPDX-License-Identifier: MIT
// The addresses of sockets: the fields `address`, `port` and `family`.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/rules/fields.hpp"

namespace telemetry::rules::terms {

/// What TextTest::text is for an address, a network (ADDRESS/BITS), or the path or @NAME of a Unix socket.
/// nullopt: it is none of these.
std::optional<std::string> encode_address(std::string_view text);

Truth address(const TextTest& test, const Event& event);
Values port(const Event& event);
Values family(const Event& event);

} // namespace telemetry::rules::terms
