// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace telemetry::imds {

/// The providers of metadata services.
enum class Provider : uint8_t {
    unknown,
    aws, ///< EC2: the service for instances
    ecs, ///< Amazon ECS: the service for the containers of a task
    eks, ///< Amazon EKS: Pod Identity
    azure,
    gcp,
    oracle,
    alibaba,
    tencent,
    ibm,
    digitalocean,
    openstack,
    hetzner,
    scaleway,
    akamai,
    vultr,
};
inline constexpr size_t providers = 16;

/// "aws", "ecs", ..., as in rules/imds-endpoints.conf.
std::string_view provider_name(Provider provider);
std::optional<Provider> parse_provider(std::string_view name);
/// The value of cloud.provider, which is "aws" for ECS and EKS too. Empty if unknown.
std::string_view cloud_provider(Provider provider);

class ProviderSet {
  public:
    void add(Provider provider) { bits_ |= bit(provider); }
    bool has(Provider provider) const { return bits_ & bit(provider); }
    /// The only member of the set; `unknown` if there are several or none.
    Provider only() const;
    bool operator==(const ProviderSet&) const = default;

  private:
    static constexpr uint32_t bit(Provider provider) { return 1U << static_cast<unsigned>(provider); }
    uint32_t bits_ = 0;
};

} // namespace telemetry::imds
