// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace telemetry {

struct SocketAddress {
    sockaddr_storage address;
    socklen_t size;
};

/// `bytes`: 4 of IPv4 or 16 of IPv6, by the family, which is AF_INET or AF_INET6.
SocketAddress socket_address(int family, const void* bytes, uint16_t port, uint32_t scope = 0);
/// Of an IPv4 or IPv6 address in text; none: it is a name.
std::vector<SocketAddress> numeric_address(const std::string& host, uint16_t port);
/// "192.0.2.1", "2001:db8::1"
std::string address_text(const SocketAddress& address);

} // namespace telemetry
