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

/// Where a metadata service listens. An IPv4-mapped IPv6 address is the IPv4 address.
struct ServiceAddress {
    bool is_ipv6 = false;
    std::array<uint8_t, 16> ip{}; ///< network byte order; IPv4 uses the first four
    uint16_t port = 0;
    auto operator<=>(const ServiceAddress&) const = default;
};

/// The far end of a socket; port 0 when it is not of the internet.
ServiceAddress remote_address(const SocketInfo& socket);

struct Endpoint {
    ServiceAddress address;
    ProviderSet providers; ///< that it may be
};

/// The endpoints that are watched. The default ones travel inside the program
/// (rules/imds-endpoints.conf), and users can add theirs.
class Endpoints {
  public:
    static Endpoints built_in();
    /// `file` is for messages. Throws RuleError with the position of each mistake.
    static Endpoints parse(std::string_view text, const std::string& file);
    static Endpoints load(const std::string& path);

    /// Those of the other replace those of the same address.
    void add(const Endpoints& other);

    const Endpoint* find(const ServiceAddress& address) const;
    std::span<const Endpoint> all() const { return endpoints_; }

  private:
    void add(const Endpoint& endpoint);

    std::vector<Endpoint> endpoints_; ///< sorted by address
};

} // namespace telemetry::imds
