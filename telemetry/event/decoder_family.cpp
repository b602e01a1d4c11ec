// SPDX-License-Identifier: MIT
// Addresses without a family: what the kernel takes them for.
#include "telemetry/event/decoder.hpp"

#include <cerrno>
#include <cstddef>
#include <netinet/in.h>
#include <sys/socket.h>

namespace telemetry {

namespace {

bool is_without_family(std::string_view address) {
    return address.size() >= sizeof(sa_family_t) && address[0] == '\0' && address[1] == '\0';
}

} // namespace

/// With AF_UNSPEC a sender of datagrams gets by each comparison of the family, while the packet goes out: as
/// if the address were of the socket's own family, and to the connected peer from a UDP socket of IPv6.
void Decoder::settle_families(Event& out) noexcept {
    const SocketInfo& socket = out.socket;
    const bool is_datagram = socket.type == SOCK_DGRAM || socket.type == SOCK_RAW;
    const bool is_inet = socket.family == AF_INET || socket.family == AF_INET6;
    if (out.socket_status != Status::ok || !is_datagram || !is_inet || out.ret == -EAFNOSUPPORT)
        return;
    if (socket.family == AF_INET6 && socket.type == SOCK_DGRAM) {
        if (is_without_family(out.sockaddr.bytes))
            out.sockaddr = Text{};
        return;
    }
    take_family(out.sockaddr, socket.family);
    const size_t others = out.witnessed ? out.witnessed->addresses : 0;
    for (Text& address : std::span(witnessed_.address).first(others))
        take_family(address, socket.family);
}

void Decoder::take_family(Text& address, uint16_t family) noexcept {
    const size_t least = family == AF_INET ? sizeof(sockaddr_in) : offsetof(sockaddr_in6, sin6_scope_id);
    if (!is_without_family(address.bytes) || address.bytes.size() < least)
        return;
    const size_t mark = arena_.mark();
    arena_.append(std::string_view(reinterpret_cast<const char*>(&family), sizeof(family)));
    arena_.append(address.bytes.substr(sizeof(family), sizeof(sockaddr_in6) - sizeof(family)));
    address.bytes = arena_.since(mark);
}

} // namespace telemetry
