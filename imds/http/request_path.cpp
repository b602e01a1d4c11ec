// SPDX-License-Identifier: MIT
#include "imds/http/request_path.hpp"

#include <algorithm>

#include "imds/http/hex.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t most_segments = 64;

/// Removes what follows `mark` from the text and returns it.
bool cut_at(std::string_view& text, char mark, std::string_view& rest) {
    const size_t at = text.find(mark);
    if (at == text.npos)
        return false;
    rest = text.substr(at + 1);
    text = text.substr(0, at);
    return true;
}

} // namespace

TargetParts split_target(std::string_view target) {
    TargetParts parts;
    parts.has_fragment = cut_at(target, '#', parts.fragment);
    parts.has_query = cut_at(target, '?', parts.query);
    parts.path = target;
    const size_t scheme = target.find("://");
    if (target.starts_with('/') || scheme == target.npos)
        return parts;
    std::string_view rest = target.substr(scheme + 3);
    const size_t slash = std::min(rest.find('/'), rest.size());
    parts.path = rest.substr(slash);
    parts.authority = rest.substr(0, slash);
    const size_t at = parts.authority.rfind('@');
    if (at == target.npos)
        return parts;
    parts.authority.remove_prefix(at + 1);
    return parts;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (size_t at = 0; at < text.size(); ++at) {
        const bool is_escape = text[at] == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
                               hex_value(text[at + 2]) >= 0;
        if (!is_escape) {
            decoded.push_back(text[at]);
            continue;
        }
        decoded.push_back(static_cast<char>(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2])));
        at += 2;
    }
    return decoded;
}

std::vector<std::string> path_segments(std::string_view path) {
    const std::string decoded = percent_decoded(path);
    std::vector<std::string> segments;
    for (size_t at = 0; at < decoded.size() && segments.size() < most_segments;) {
        const size_t end = std::min(decoded.find('/', at), decoded.size());
        const std::string_view segment = std::string_view(decoded).substr(at, end - at);
        at = end + 1;
        if (segment == ".." && !segments.empty())
            segments.pop_back();
        if (!segment.empty() && segment != "." && segment != "..")
            segments.emplace_back(segment);
    }
    return segments;
}

} // namespace telemetry::imds
