// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <tuple>

#include "imds/model/endpoints.hpp"

namespace telemetry::imds {

/// The connections to endpoints that descriptors refer to, in the network namespaces that processes
/// are in. One that the kernel finishes alone, without a descriptor, is not listed.
class OpenConnections {
  public:
    static OpenConnections list(const std::string& proc_root, const Endpoints& endpoints);

    /// No list could be read: whether there are connections is not known.
    bool is_unknown() const { return is_unknown_; }
    bool empty() const { return all_.empty(); }
    size_t size() const { return all_.size(); }
    /// `netns` 0: in any namespace.
    bool has(const ServiceAddress& remote, uint16_t local_port, uint32_t netns) const;

    void add(const ServiceAddress& remote, uint16_t local_port, uint32_t netns) {
        all_.insert({remote, local_port, netns});
    }

  private:
    std::set<std::tuple<ServiceAddress, uint16_t, uint32_t>> all_;
    bool is_unknown_ = false;
};

} // namespace telemetry::imds
