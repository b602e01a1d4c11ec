// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace telemetry::imds {

/// Whose metadata service it is.
enum class Provider : uint8_t {
    unknown,
    aws, ///< the instance's service of EC2
    ecs, ///< Amazon's for the containers of a task
    eks, ///< Amazon's for pods: Pod Identity
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

/// "aws", "ecs", ...: as the endpoint file has them.
std::string_view provider_name(Provider provider);
std::optional<Provider> parse_provider(std::string_view name);
/// cloud.provider: ECS and EKS are Amazon's too. Empty when it is not known.
std::string_view cloud_provider(Provider provider);

class ProviderSet {
  public:
    void add(Provider provider) { bits_ |= bit(provider); }
    bool has(Provider provider) const { return bits_ & bit(provider); }
    /// The only one of the set; `unknown` when it has several, or is empty.
    Provider only() const;
    bool operator==(const ProviderSet&) const = default;

  private:
    static constexpr uint32_t bit(Provider provider) { return 1U << static_cast<unsigned>(provider); }
    uint32_t bits_ = 0;
};

} // namespace telemetry::imds
