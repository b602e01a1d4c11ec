// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <tuple>

#include "imds/model/endpoints.hpp"

namespace telemetry::imds {

/// The TCP connections to endpoints in the network namespaces of all processes. A connection without a
/// descriptor, which the kernel only winds down, is not listed.
class OpenConnections {
  public:
    static OpenConnections list(const std::string& proc_root, const Endpoints& endpoints);

    /// True if no list could be read, so that it is unknown whether there are connections.
    bool is_unknown() const { return is_unknown_; }
    bool empty() const { return all_.empty(); }
    size_t size() const { return all_.size(); }
    /// `netns` 0 means any namespace.
    bool has(const ServiceAddress& remote, uint16_t local_port, uint32_t netns) const;

    void add(const ServiceAddress& remote, uint16_t local_port, uint32_t netns) {
        all_.insert({remote, local_port, netns});
    }

  private:
    std::set<std::tuple<ServiceAddress, uint16_t, uint32_t>> all_;
    bool is_unknown_ = false;
};

} // namespace telemetry::imds
