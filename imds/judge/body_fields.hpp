// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::imds {

struct FoundField {
    std::string_view name; ///< its name in the output
    std::string value;     ///< or a marker, if it does not have the form that it should have
};

/// The fields on the allow-list, from the top level of a JSON object. The body may be truncated, or not JSON
/// at all: only complete values of the right form are returned.
std::vector<FoundField> find_body_fields(std::string_view body);

/// A JSON string without its escapes. What is no valid escape stays.
std::string unescaped(std::string_view string);

/// All other string values of a JSON text, at any depth, including one that is truncated, with their escapes.
/// Empty if the body is neither a JSON object nor an array.
std::vector<std::string_view> find_secret_strings(std::string_view body);

} // namespace telemetry::imds
