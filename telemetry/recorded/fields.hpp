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

} // namespace telemetry
