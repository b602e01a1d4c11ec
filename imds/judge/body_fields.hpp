// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::imds {

struct FoundField {
    size_t name = 0;   ///< of body_field_names
    std::string value; ///< or a marker, if it does not have the form that it should have
};

/// The fields on the allow-list, from the top level of a JSON object. The body may be truncated, or not JSON
/// at all: only complete values of the right form are returned.
std::vector<FoundField> find_body_fields(std::string_view body);

/// A JSON string without its escapes. What is no valid escape stays.
std::string unescaped(std::string_view string);

/// What of a body must not be reported anywhere: the strings of JSON that are not on the allow-list, without
/// their escapes, or else the whole body.
std::vector<std::string> find_secrets(std::string_view body);

/// All other string values of a JSON text, at any depth, including one that is truncated, with their escapes.
/// Empty if the body is neither a JSON object nor an array.
std::vector<std::string_view> find_secret_strings(std::string_view body);

} // namespace telemetry::imds
