// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>

#include "telemetry/base/line_buffer.hpp"
#include "telemetry/output/fragment_cache.hpp"
#include "telemetry/output/network/address.hpp"

namespace telemetry {

/// The Community ID of a flow, version 1 with seed 0: the same in the events of both ends, and in those
/// of Zeek, Suricata and others. https://github.com/corelight/community-id-spec
class CommunityId {
  public:
    /// Are both ends known, of a protocol with ports? Of ICMP nobody tells type and code here.
    static bool is_known(const Address& one, const Address& other, uint8_t protocol);
    /// "1:LQU9qZlK+B5F3KDmev6m5PMibrg="; both ends have to be known.
    void put(LineBuffer& line, const Address& one, const Address& other, uint8_t protocol);

  private:
    /// What is hashed: seed, addresses, protocol, padding, ports, the lower end first.
    struct Flow {
        std::array<uint8_t, 40> bytes{};
        uint8_t length = 0;
        bool operator==(const Flow&) const = default;
    };
    static Flow flow_of(const Address& one, const Address& other, uint8_t protocol);

    FragmentCache<Flow, 64> ids_; // a socket that sends has one for all of its events
};

} // namespace telemetry
