// SPDX-License-Identifier: MIT
#include "imds/model/provider.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace telemetry::imds {
namespace {

constexpr std::array<std::string_view, providers> names = {
    "unknown", "aws", "ecs",          "eks",       "azure",   "gcp",      "oracle", "alibaba",
    "tencent", "ibm", "digitalocean", "openstack", "hetzner", "scaleway", "akamai", "vultr"};

} // namespace

std::string_view provider_name(Provider provider) {
    return names[static_cast<size_t>(provider)];
}

std::optional<Provider> parse_provider(std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
        return std::nullopt;
    return static_cast<Provider>(found - names.begin());
}

std::string_view cloud_provider(Provider provider) {
    switch (provider) {
    case Provider::unknown:
        return {};
    case Provider::ecs:
    case Provider::eks:
        return provider_name(Provider::aws);
    default:
        return provider_name(provider);
    }
}

Provider ProviderSet::only() const {
    return std::has_single_bit(bits_) ? static_cast<Provider>(std::countr_zero(bits_)) : Provider::unknown;
}

} // namespace telemetry::imds
