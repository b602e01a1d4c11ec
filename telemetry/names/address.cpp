// SPDX-License-Identifier: MIT
#include "telemetry/names/address.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace telemetry {

SocketAddress socket_address(int family, const void* bytes, uint16_t port, uint32_t scope) {
    SocketAddress made{};
    if (family == AF_INET) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        memcpy(&v4.sin_addr, bytes, sizeof(v4.sin_addr));
        memcpy(&made.address, &v4, sizeof(v4));
        made.size = sizeof(v4);
        return made;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = scope;
    memcpy(&v6.sin6_addr, bytes, sizeof(v6.sin6_addr));
    memcpy(&made.address, &v6, sizeof(v6));
    made.size = sizeof(v6);
    return made;
}

std::vector<SocketAddress> numeric_address(const std::string& host, uint16_t port) {
    unsigned char bytes[sizeof(in6_addr)];
    for (const int family : {AF_INET, AF_INET6})
        if (inet_pton(family, host.c_str(), bytes) == 1)
            return {socket_address(family, bytes, port)};
    return {};
}

std::string address_text(const SocketAddress& address) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&address.address);
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&address.address);
    const bool is_v4 = address.address.ss_family == AF_INET;
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(address.address.ss_family, is_v4 ? static_cast<const void*>(&v4->sin_addr) : &v6->sin6_addr,
              text, sizeof(text));
    return text;
}

} // namespace telemetry
