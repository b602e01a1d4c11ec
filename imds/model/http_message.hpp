// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imds/model/secret.hpp"

namespace telemetry::imds {

/// Headers whose values are stored: by their meaning they carry no secret.
enum class TextHeader : uint8_t { host, user_agent, server, content_type };
inline constexpr size_t text_headers = 4;

/// Headers by which providers and versions are recognised. It is noted that they are present;
/// values that are secret are stored in `tokens` alone.
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
    google_request,   ///< X-Google-Metadata-Request, as before Metadata-Flavor
    azure_agent,      ///< x-ms-agent-name, x-ms-version: the wire server's
    oracle_bearer,    ///< Authorization: Bearer Oracle
    authorization,    ///< any other
    forwarded_for,    ///< X-Forwarded-For: it came through a proxy
    content_encoding, ///< of any kind but identity
};
inline constexpr size_t marker_headers = 15;

/// Start line and headers of a message.
struct Head {
    // of a request
    std::string method;
    Secret target;              ///< as it stands in the request line
    uint64_t target_length = 0; ///< longer than `target`: it was cut

    uint16_t status = 0; ///< of a response

    std::array<std::string, text_headers> texts; ///< cut at a limit
    std::array<bool, marker_headers> present{};
    std::vector<Secret> tokens; ///< values that must not appear anywhere in the output
    uint64_t bytes = 0;         ///< of start line and headers
    bool has_length = false;    ///< content_length is known
    uint64_t content_length = 0;
    bool is_cut = false; ///< a part of it was not captured, or beyond the limits

    bool has(MarkerHeader header) const { return present[static_cast<size_t>(header)]; }
    const std::string& operator[](TextHeader header) const { return texts[static_cast<size_t>(header)]; }
};

} // namespace telemetry::imds
