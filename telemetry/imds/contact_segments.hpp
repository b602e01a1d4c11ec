// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "imds/segment.hpp"

namespace telemetry::imds {

/// Segments of calls that connect, from the events of the engine: connections are seen with
/// these alone, their content is not.
class ContactSegments {
  public:
    /// True: the call connected a TCP socket, or began to, and `segment` tells of it.
    bool make(const Event& event, Segment& segment);

  private:
    uint64_t connections_ = 0; ///< stands for the socket, of which the event knows nothing
};

} // namespace telemetry::imds
