// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace telemetry {

/// The value of a field by its name in docs/output.md, such as "process.parent.pid"; null where it is absent.
const nlohmann::json* field_at(const nlohmann::json& event, std::string_view name);

/// A text, or a number as text; empty where the field is absent or of another type.
std::string text_at(const nlohmann::json& event, std::string_view name);

/// A whole number; none where the field is absent or of another type.
std::optional<int64_t> number_at(const nlohmann::json& event, std::string_view name);

/// Nanoseconds since 1970 of a time as RFC 3339 has it, in UTC, such as "2026-11-21T21:16:05.000000042Z";
/// none of anything else.
std::optional<int64_t> nanoseconds_at(std::string_view text);

} // namespace telemetry
