// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imds/model/http_message.hpp"
#include "imds/model/provider.hpp"

namespace telemetry::imds {

/// The version of a provider's protocol.
enum class Version : uint8_t {
    unknown,
    none, ///< the provider has no versions
    v1,   ///< plain requests, which a server-side request forgery can make
    v2,   ///< with a session token, or a header that a forged request cannot have
};
std::string_view version_name(Version version);

/// What a request asks for.
enum class RequestClass : uint8_t { token, credentials, identity, user_data, instance, network, other };
std::string_view class_name(RequestClass request_class);

/// Which service a request went to, in which version of its protocol, and what it asks for.
struct Classification {
    Provider provider = Provider::unknown;
    Version version = Version::unknown;
    RequestClass request_class = RequestClass::other;
    /// The service named itself in its response, so the provider is certain.
    bool is_proved = false;
};

/// What is known of an exchange before it is classified.
struct ClassifierInput {
    ProviderSet candidates; ///< the providers that use this endpoint
    const Head* request = nullptr;
    const Head* response = nullptr;
    std::vector<std::string> path; ///< its segments, decoded
    std::string_view query;
    Provider known = Provider::unknown; ///< named by an earlier response of the same endpoint
};

/// `unknown` wherever the input is not enough or contradicts itself.
Classification classify(const ClassifierInput& input);

} // namespace telemetry::imds
