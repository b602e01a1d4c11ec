// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <utility>

#include "imds/model/endpoints.hpp"

namespace telemetry::imds {

/// The endpoints that are watched, and those that were before a reload: each transfer is judged by the ones
/// that were in force when it happened, however late it comes.
class EndpointsInForce {
  public:
    explicit EndpointsInForce(Endpoints endpoints) : now_(std::move(endpoints)) {}

    /// `from_ns`: of the wall clock, since the epoch.
    void change(Endpoints next, uint64_t from_ns) {
        before_ = std::exchange(now_, std::move(next));
        from_ns_ = from_ns;
    }

    /// Null: the address and port are no endpoint.
    const Endpoint* find(const ServiceAddress& address, uint64_t time_ns) const {
        return (time_ns < from_ns_ ? before_ : now_).find(address);
    }
    const Endpoints& now() const { return now_; }

  private:
    Endpoints now_, before_;
    uint64_t from_ns_ = 0;
};

} // namespace telemetry::imds
