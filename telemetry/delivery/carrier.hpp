// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/delivery/account.hpp"
#include "telemetry/delivery/queue.hpp"
#include "telemetry/rights/capabilities.hpp"

namespace telemetry {

/// Takes the events of an output to where they go, on the output's own thread, and accounts for each.
class Carrier {
  public:
    virtual ~Carrier() = default;
    /// Until the queue is closed, and either empty or its deadline over.
    virtual void run(EventQueue& queue, DeliveryAccount& account) = 0;

    /// What the output's thread keeps of the program's capabilities.
    virtual CapabilityMask capabilities() const { return 0; }

    /// The next two are called by another thread. Files may be renamed and opened anew (log rotation).
    virtual bool can_reopen() const { return false; }
    virtual void reopen() {}
};

} // namespace telemetry
