// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imds/model/secret.hpp"

namespace telemetry::imds {

/// Headers whose value is kept: none of them carries a secret by its meaning.
enum class Kept : uint8_t { host, user_agent, server, content_type };
inline constexpr size_t kept_headers = 4;

/// Headers that tell providers and versions apart. Of most only that they were there and how
/// long their value was.
enum class Telling : uint8_t {
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
inline constexpr size_t telling_headers = 15;

/// Start line and headers of a message.
struct Head {
    // of a request
    std::string method;
    Secret target;              ///< as it stands in the request line
    uint64_t target_length = 0; ///< longer than `target`: it was cut

    uint16_t status = 0; ///< of a response

    uint8_t minor_version = 1;                  ///< HTTP/1.x
    std::array<std::string, kept_headers> kept; ///< cut at a limit
    std::array<bool, telling_headers> told{};
    std::array<uint32_t, telling_headers> lengths{}; ///< of the values
    std::vector<Secret> tokens;                      ///< values that must be found nowhere in what is shown
    uint64_t bytes = 0;                              ///< of start line and headers
    bool has_length = false;                         ///< content_length is known
    uint64_t content_length = 0;
    bool is_cut = false; ///< a part of it was not captured, or beyond the limits

    bool has(Telling header) const { return told[static_cast<size_t>(header)]; }
    const std::string& operator[](Kept header) const { return kept[static_cast<size_t>(header)]; }
};

} // namespace telemetry::imds
