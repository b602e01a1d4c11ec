// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "imds/model/endpoints.hpp"
#include "imds/model/provider.hpp"

namespace telemetry::imds {

/// Which provider an endpoint named in a response, for later requests to the same endpoint.
class ProvedProviders {
  public:
    void note(uint32_t netns, const ServiceAddress& service, Provider provider) {
        if (proved_.size() < most)
            proved_[{netns, service}] = provider;
    }
    Provider find(uint32_t netns, const ServiceAddress& service) const {
        const auto found = proved_.find({netns, service});
        return found == proved_.end() ? Provider::unknown : found->second;
    }

  private:
    static constexpr size_t most = 4096;
    std::map<std::pair<uint32_t, ServiceAddress>, Provider> proved_;
};

} // namespace telemetry::imds
