// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::imds {

struct FoundField {
    std::string_view name; ///< as the output calls it
    std::string value;     ///< or a marker, where it is not of the form that it should have
};

/// The fields of a JSON object that the allow-list has, from its top level alone. The body may be
/// cut anywhere, and may be anything: what is not a whole value of the right form is not shown.
std::vector<FoundField> find_body_fields(std::string_view body);

/// All other strings that are values of a JSON text, at any depth: one that is cut too. None of
/// what is no JSON object or array.
std::vector<std::string_view> find_secret_strings(std::string_view body);

} // namespace telemetry::imds
