// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::imds {

/// The target of a request taken apart, as it stands in the request line: "/a/b?c=d", or with
/// scheme and authority in front as proxies get it. Views point into the target.
struct TargetParts {
    std::string_view authority; ///< without "user:password@"; empty where there is none
    std::string_view path;      ///< begins with a slash, unless it is "*" or garbage
    bool has_query = false;
    std::string_view query; ///< without the question mark
    bool has_fragment = false;
    std::string_view fragment;
};
TargetParts split_target(std::string_view target);

/// Percent-decoded; what is no escape stays as it is.
std::string percent_decoded(std::string_view text);

/// The path's segments, decoded, as servers understand them: without empty ones, "." and "..".
std::vector<std::string> path_segments(std::string_view path);

} // namespace telemetry::imds
