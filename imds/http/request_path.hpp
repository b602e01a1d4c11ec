// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::imds {

/// The parts of a request target: "/a/b?c=d", or with scheme and authority before it, as in requests to
/// proxies. The views point into the target.
struct TargetParts {
    std::string_view authority; ///< without "user:password@"; empty where there is none
    std::string_view path;      ///< begins with a slash, unless it is "*" or invalid
    bool has_query = false;
    std::string_view query; ///< without the question mark
    bool has_fragment = false;
    std::string_view fragment;
};
TargetParts split_target(std::string_view target);

/// Percent-decoded; invalid escapes stay as they are.
std::string percent_decoded(std::string_view text);

/// The segments of the path as servers understand them: decoded, without empty ones, "." and "..".
std::vector<std::string> path_segments(std::string_view path);

} // namespace telemetry::imds
