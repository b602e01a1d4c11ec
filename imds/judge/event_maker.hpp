// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "imds/judge/reading.hpp"
#include "imds/judge/scrubber.hpp"

namespace telemetry::imds {

/// Makes ImdsEvents of readings and of the processes that they are about, without secrets. It parses
/// nothing of what a connection carries.
class EventMaker {
  public:
    /// `scrubs`: remove secrets from all texts; false with --unsafe. `machine_netns`: the machine's first
    /// network namespace; 0: not known.
    explicit EventMaker(bool scrubs, uint32_t machine_netns = 0)
        : scrubs_(scrubs), scrubber_(machine_netns) {}

    ImdsEvent event_of(const Connection& connection, Reading&& reading, SharedCaller caller,
                       SharedCaller reader);
    /// What went over a connection of this namespace was not read.
    void missed(uint32_t netns, uint64_t time_ns) { scrubber_.distrust(netns, time_ns); }

  private:
    void put_texts(ImdsEvent& event, const Reading& reading);
    void put_processes(ImdsEvent& event);
    PublicText public_text(const ImdsEvent& event, const Secret& text);

    const bool scrubs_;
    Scrubber scrubber_;
};

} // namespace telemetry::imds
