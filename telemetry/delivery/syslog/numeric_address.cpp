// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "telemetry/delivery/syslog/resolve.hpp"

namespace telemetry {

std::vector<SocketAddress> numeric_address(const std::string& host, uint16_t port) {
    SocketAddress found{};
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        std::memcpy(&found.address, &v4, sizeof(v4));
        found.size = sizeof(v4);
        return {found};
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        std::memcpy(&found.address, &v6, sizeof(v6));
        found.size = sizeof(v6);
        return {found};
    }
    return {};
}

} // namespace telemetry
