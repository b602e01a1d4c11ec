// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "telemetry/delivery/sender.hpp"

namespace telemetry {

struct SocketAddress {
    sockaddr_storage address;
    socklen_t size;
};

/// Of an IPv4 or IPv6 address in text; none: it is a name.
std::vector<SocketAddress> numeric_address(const std::string& host, uint16_t port);
/// By name, too; waits for name servers no longer than the deadline allows. None: `error` says why. In
/// programs that are linked statically (resolve_none.cpp) names cannot be resolved.
std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Sender::Deadline& deadline,
                                   std::string& error);
bool can_resolve_names();

} // namespace telemetry
