// SPDX-License-Identifier: MIT
#include "imds/http/headers.hpp"

#include <algorithm>

#include "imds/http/content_coding.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t text_limit = 1024; ///< bytes of a value that are stored

constexpr size_t most_tokens = 4;
constexpr size_t longest_token = 4096;

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct TextName {
    std::string_view name;
    TextHeader header;
};
constexpr TextName text_names[] = {
    {"host", TextHeader::host},
    {"user-agent", TextHeader::user_agent},
    {"server", TextHeader::server},
    {"content-type", TextHeader::content_type},
};

/// A header that identifies a provider. If `value` is not empty, only that value does.
struct MarkerName {
    std::string_view name;
    std::string_view value;
    MarkerHeader header;
};
constexpr MarkerName marker_names[] = {
    {"x-aws-ec2-metadata-token", "", MarkerHeader::aws_token},
    {"x-aws-ec2-metadata-token-ttl-seconds", "", MarkerHeader::aws_token_ttl},
    {"x-aliyun-ecs-metadata-token", "", MarkerHeader::alibaba_token},
    {"x-aliyun-ecs-metadata-token-ttl-seconds", "", MarkerHeader::alibaba_ttl},
    {"metadata-token", "", MarkerHeader::akamai_token},
    {"metadata-token-expiry-seconds", "", MarkerHeader::akamai_expiry},
    {"metadata", "true", MarkerHeader::metadata_true},
    {"metadata-flavor", "google", MarkerHeader::flavor_google},
    {"metadata-flavor", "ibm", MarkerHeader::flavor_ibm},
    {"x-google-metadata-request", "", MarkerHeader::google_request},
    {"x-ms-agent-name", "", MarkerHeader::azure_agent},
    {"x-ms-version", "", MarkerHeader::azure_agent},
    {"authorization", "bearer oracle", MarkerHeader::oracle_bearer},
    {"authorization", "", MarkerHeader::authorization},
    {"x-forwarded-for", "", MarkerHeader::forwarded_for},
    {"content-encoding", "", MarkerHeader::content_encoding},
};

bool is_secret(MarkerHeader header) {
    return header == MarkerHeader::aws_token || header == MarkerHeader::alibaba_token ||
           header == MarkerHeader::akamai_token || header == MarkerHeader::authorization;
}

/// The token of "Bearer TOKEN".
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
    for (const TextName& known : text_names)
        if (equals_ignoring_case(name, known.name)) {
            std::string& text = head.texts[static_cast<size_t>(known.header)];
            if (text.empty()) // only the first: servers refuse a second Host
                text = value.substr(0, text_limit);
            return;
        }
    for (const MarkerName& known : marker_names) {
        if (!equals_ignoring_case(name, known.name))
            continue;
        if (!known.value.empty() && !equals_ignoring_case(value, known.value))
            continue;
        if (known.header == MarkerHeader::content_encoding) {
            // Codings that are packed in one another are no single one that is known.
            const BodyCoding coding = parse_coding(value);
            if (coding == BodyCoding::none)
                return;
            head.coding = head.coding == BodyCoding::none ? coding : BodyCoding::other;
        }
        head.present[static_cast<size_t>(known.header)] = true;
        if (is_secret(known.header) && head.tokens.size() < most_tokens)
            head.tokens.emplace_back(std::string(without_scheme(value).substr(0, longest_token)));
        return;
    }
}

} // namespace telemetry::imds
