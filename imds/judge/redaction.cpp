// SPDX-License-Identifier: MIT
#include "imds/judge/redaction.hpp"

#include <algorithm>
#include <span>

#include "imds/http/headers.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t longest_segment = 256;
constexpr size_t longest_path = 2048;

/// The query parameters that providers document. Any other name could be a secret value.
constexpr std::string_view parameters[] = {
    "alt",       "api-version", "audience", "bypass_cache", "client_id",  "comp",      "extended",
    "format",    "last_etag",   "licenses", "mi_res_id",    "msi_res_id", "object_id", "principalId",
    "recursive", "resource",    "scopes",   "timeout_sec",  "type",       "version",   "wait_for_change",
};

/// Segments of the paths of the ECS agent that are words; all others are identifiers.
constexpr std::string_view ecs_words[] = {
    "v1",      "v2",       "v3",    "v4",           "credentials",     "metadata",
    "stats",   "task",     "state", "taskWithTags", "task-protection", "fault",
    "network", "container"};

bool is_listed(std::string_view word, std::span<const std::string_view> list) {
    return std::ranges::find(list, word) != list.end();
}

bool is_harmless(char c) {
    return (is_token_character(c) && c != '%') || c == ':' || c == '@' || c == '=' || c == ',' || c == ';' ||
           c == '(' || c == ')';
}

/// Does the segment contain escapes that decode to a slash or another character with a meaning?
bool hides_something(std::string_view segment) {
    return segment.find('%') != segment.npos && !std::ranges::all_of(percent_decoded(segment), is_harmless);
}

bool names_credentials(std::string_view segment) {
    const std::string decoded = percent_decoded(segment);
    return equals_ignoring_case(decoded.substr(0, decoded.find(';')), "credentials");
}

/// A segment as it may be reported: without its parameters (";x=y").
std::string shown_segment(std::string_view segment, Provider provider) {
    const bool is_secret = provider == Provider::ecs && !segment.empty() && !is_listed(segment, ecs_words);
    if (is_secret || segment.size() > longest_segment)
        return redacted(segment.size());
    const size_t semicolon = segment.find(';');
    if (semicolon == segment.npos)
        return std::string(segment);
    return std::string(segment.substr(0, semicolon + 1)) + redacted(segment.size() - semicolon - 1);
}

} // namespace

std::string redacted(uint64_t length) {
    return "<redacted:" + std::to_string(length) + '>';
}

std::string redacted_path(const TargetParts& target, Provider provider) {
    const std::string_view path = target.path;
    if (!path.starts_with('/')) // "*", the host:port of CONNECT, or invalid
        return path.empty() || path == "*" ? std::string(path) : redacted(path.size());
    std::string shown;
    for (size_t at = 0; at < path.size();) {
        const size_t begin = at + 1; // after the slash
        const size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view segment = path.substr(begin, end - begin);
        shown += '/';
        if (hides_something(segment) || shown.size() > longest_path)
            return shown + redacted(path.size() - begin);
        shown += shown_segment(segment, provider);
        at = end;
        if (names_credentials(segment) && at + 1 < path.size())
            return shown + '/' + redacted(path.size() - at - 1);
    }
    return shown;
}

std::string redacted_query(std::string_view query) {
    std::string shown;
    for (size_t at = 0; at <= query.size();) {
        const size_t end = std::min(query.find('&', at), query.size());
        const std::string_view part = query.substr(at, end - at);
        const size_t equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        if (at)
            shown += '&';
        if (!is_listed(name, parameters))
            shown += part.empty() ? "" : redacted(part.size());
        else if (equals == part.npos)
            shown += name;
        else
            shown.append(name).append("=").append(redacted(part.size() - equals - 1));
        at = end + 1;
        if (shown.size() > longest_path && at <= query.size())
            return shown + '&' + redacted(query.size() - at);
    }
    return shown;
}

std::string redacted_method(std::string_view method) {
    const bool is_plain = is_token(method) && method.size() <= 24 && std::ranges::all_of(method, [](char c) {
                              return (c >= 'A' && c <= 'Z') || c == '-';
                          });
    return is_plain ? std::string(method) : redacted(method.size());
}

std::string redacted_host(std::string_view host) {
    const bool is_plain = host.size() <= 255 && std::ranges::all_of(host, [](char c) {
                              return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                                     c == '.' || c == ':' || c == '-' || c == '_' || c == '[' || c == ']';
                          });
    return is_plain ? std::string(host) : redacted(host.size());
}

} // namespace telemetry::imds
