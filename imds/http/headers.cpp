// SPDX-License-Identifier: MIT
#include "imds/http/headers.hpp"

#include <algorithm>

namespace telemetry::imds {
namespace {

constexpr size_t kept_limit = 1024; ///< of a header's value

constexpr size_t most_tokens = 4;
constexpr size_t longest_token = 4096;

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct KeptName {
    std::string_view name;
    Kept header;
};
constexpr KeptName kept_names[] = {
    {"host", Kept::host},
    {"user-agent", Kept::user_agent},
    {"server", Kept::server},
    {"content-type", Kept::content_type},
};

/// `value`, if it is not empty, is the only one that counts.
struct TellingName {
    std::string_view name;
    std::string_view value;
    Telling header;
};
constexpr TellingName telling_names[] = {
    {"x-aws-ec2-metadata-token", "", Telling::aws_token},
    {"x-aws-ec2-metadata-token-ttl-seconds", "", Telling::aws_token_ttl},
    {"x-aliyun-ecs-metadata-token", "", Telling::alibaba_token},
    {"x-aliyun-ecs-metadata-token-ttl-seconds", "", Telling::alibaba_ttl},
    {"metadata-token", "", Telling::akamai_token},
    {"metadata-token-expiry-seconds", "", Telling::akamai_expiry},
    {"metadata", "true", Telling::metadata_true},
    {"metadata-flavor", "google", Telling::flavor_google},
    {"metadata-flavor", "ibm", Telling::flavor_ibm},
    {"x-google-metadata-request", "", Telling::google_request},
    {"x-ms-agent-name", "", Telling::azure_agent},
    {"x-ms-version", "", Telling::azure_agent},
    {"authorization", "bearer oracle", Telling::oracle_bearer},
    {"authorization", "", Telling::authorization},
    {"x-forwarded-for", "", Telling::forwarded_for},
    {"content-encoding", "", Telling::content_encoding},
};

bool is_secret(Telling header) {
    return header == Telling::aws_token || header == Telling::alibaba_token ||
           header == Telling::akamai_token || header == Telling::authorization;
}

/// "Bearer token" without the first word.
std::string_view without_scheme(std::string_view value) {
    const size_t blank = value.find(' ');
    return blank == value.npos ? value : trimmed(value.substr(blank));
}

} // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t");
    if (begin == text.npos)
        return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_token_character(char c) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           (c != '\0' && others.find(c) != others.npos);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

void note_header(Head& head, std::string_view name, std::string_view value) {
    for (const KeptName& known : kept_names)
        if (equals_ignoring_case(name, known.name)) {
            std::string& kept = head.kept[static_cast<size_t>(known.header)];
            if (kept.empty()) // the first counts: no server takes a second Host
                kept = value.substr(0, kept_limit);
            return;
        }
    for (const TellingName& known : telling_names) {
        if (!equals_ignoring_case(name, known.name))
            continue;
        if (!known.value.empty() && !equals_ignoring_case(value, known.value))
            continue;
        if (known.header == Telling::content_encoding && equals_ignoring_case(value, "identity"))
            return;
        const auto index = static_cast<size_t>(known.header);
        head.told[index] = true;
        head.lengths[index] = static_cast<uint32_t>(value.size());
        if (is_secret(known.header) && head.tokens.size() < most_tokens)
            head.tokens.emplace_back(std::string(without_scheme(value).substr(0, longest_token)));
        return;
    }
}

} // namespace telemetry::imds
