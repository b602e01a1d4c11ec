// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "imds/model/provider.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// The address and port of a metadata service. IPv4-mapped IPv6 addresses are stored as IPv4.
struct ServiceAddress {
    bool is_ipv6 = false;
    std::array<uint8_t, 16> ip{}; ///< network byte order; IPv4 uses the first four
    uint16_t port = 0;
    auto operator<=>(const ServiceAddress&) const = default;
};

/// The remote address of a socket; port 0 if it is neither IPv4 nor IPv6.
ServiceAddress remote_address(const SocketInfo& socket);

struct Endpoint {
    ServiceAddress address;
    ProviderSet providers; ///< those whose service may be there
};

/// The endpoints that are watched. The default ones are built in (rules/imds-endpoints.conf), and users can
/// add their own.
class Endpoints {
  public:
    static Endpoints built_in();
    /// `file` is the name for messages. Throws RuleError with the position of each mistake.
    static Endpoints parse(std::string_view text, const std::string& file);
    static Endpoints load(const std::string& path);

    /// Adds all endpoints of `other`; they replace those with the same address.
    void add(const Endpoints& other);

    const Endpoint* find(const ServiceAddress& address) const;
    std::span<const Endpoint> all() const { return endpoints_; }

  private:
    void add(const Endpoint& endpoint);

    std::vector<Endpoint> endpoints_; ///< sorted by address
};

} // namespace telemetry::imds
