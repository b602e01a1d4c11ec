// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imds/model/secret.hpp"

namespace telemetry::imds {

/// Headers whose values are stored, because their meaning excludes secrets.
enum class TextHeader : uint8_t { host, user_agent, server, content_type };
inline constexpr size_t text_headers = 4;

/// Headers that identify providers and versions. Only their presence is stored; secret values are stored in
/// `tokens`.
enum class MarkerHeader : uint8_t {
    aws_token,        ///< X-aws-ec2-metadata-token
    aws_token_ttl,    ///< X-aws-ec2-metadata-token-ttl-seconds
    alibaba_token,    ///< X-aliyun-ecs-metadata-token
    alibaba_ttl,      ///< X-aliyun-ecs-metadata-token-ttl-seconds
    akamai_token,     ///< Metadata-Token
    akamai_expiry,    ///< Metadata-Token-Expiry-Seconds
    metadata_true,    ///< Metadata: true (Azure)
    flavor_google,    ///< Metadata-Flavor: Google
    flavor_ibm,       ///< Metadata-Flavor: ibm
    google_request,   ///< X-Google-Metadata-Request, older than Metadata-Flavor
    azure_agent,      ///< x-ms-agent-name, x-ms-version: Azure's wire server
    oracle_bearer,    ///< Authorization: Bearer Oracle
    authorization,    ///< any other Authorization
    forwarded_for,    ///< X-Forwarded-For: it came through a proxy
    content_encoding, ///< any but identity
};
inline constexpr size_t marker_headers = 15;

/// How a body is packed (Content-Encoding).
enum class BodyCoding : uint8_t { none, gzip, deflate, other };

/// Start line and headers of a message.
struct Head {
    // only of a request
    std::string method;
    Secret target;              ///< as in the request line
    uint64_t target_length = 0; ///< more than the size of `target` if that was cut

    uint16_t status = 0; ///< only of a response

    std::array<std::string, text_headers> texts; ///< the values, cut at a limit
    std::array<bool, marker_headers> present{};
    BodyCoding coding = BodyCoding::none;
    std::vector<Secret> tokens; ///< values that must not appear anywhere in the output
    uint64_t bytes = 0;         ///< length of start line and headers
    bool has_length = false;    ///< content_length is known
    uint64_t content_length = 0;
    bool is_cut = false; ///< a part of the head was not captured, or exceeds the limits

    bool has(MarkerHeader header) const { return present[static_cast<size_t>(header)]; }
    const std::string& operator[](TextHeader header) const { return texts[static_cast<size_t>(header)]; }
};

} // namespace telemetry::imds
