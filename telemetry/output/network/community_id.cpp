// SPDX-License-Identifier: MIT
#include "telemetry/output/network/community_id.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <span>
#include <string_view>

#include "telemetry/base/escape.hpp"
#include "telemetry/output/network/sha1.hpp"

namespace telemetry {
namespace {

constexpr std::array<uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const Address& address) {
    return address.form == Address::Form::inet6 &&
           std::equal(mapped.begin(), mapped.end(), address.ip.begin());
}

/// As it is on the wire: an IPv6 socket that speaks to an IPv4 peer does so over IPv4.
std::span<const uint8_t> ip_of(const Address& address) {
    const std::span<const uint8_t> ip = address.ip;
    if (address.form == Address::Form::inet)
        return ip.first(4);
    return is_mapped(address) ? ip.subspan(12) : ip;
}

bool is_set(const Address& address) {
    const auto ip = ip_of(address);
    return address.is_ip() && address.has_port && address.port &&
           std::ranges::any_of(ip, [](uint8_t byte) { return byte != 0; });
}

/// Below zero: `one` comes first.
int compare(const Address& one, const Address& other) {
    const auto a = ip_of(one), b = ip_of(other);
    const auto order = std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
    if (order != 0)
        return order < 0 ? -1 : 1;
    return static_cast<int>(one.port) - static_cast<int>(other.port);
}

} // namespace

bool CommunityId::is_known(const Address& one, const Address& other, uint8_t protocol) {
    const bool has_ports = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
    return has_ports && is_set(one) && is_set(other) && ip_of(one).size() == ip_of(other).size();
}

CommunityId::Flow CommunityId::flow_of(const Address& one, const Address& other, uint8_t protocol) {
    const bool is_in_order = compare(one, other) <= 0;
    const Address& first = is_in_order ? one : other;
    const Address& second = is_in_order ? other : one;
    Flow flow;
    auto* to = flow.bytes.begin() + 2; // the seed, 0
    to = std::ranges::copy(ip_of(first), to).out;
    to = std::ranges::copy(ip_of(second), to).out;
    *to++ = protocol;
    *to++ = 0;
    for (const uint16_t port : {first.port, second.port}) {
        *to++ = static_cast<uint8_t>(port >> 8);
        *to++ = static_cast<uint8_t>(port);
    }
    flow.length = static_cast<uint8_t>(to - flow.bytes.begin());
    return flow;
}

void CommunityId::put(LineBuffer& line, const Address& one, const Address& other, uint8_t protocol) {
    const Flow flow = flow_of(one, other, protocol);
    ids_.put(line, flow, static_cast<size_t>(one.port) * 31 + other.port, [&] {
        const auto digest = sha1(std::span(flow.bytes).first(flow.length));
        line.put("1:");
        put_base64(line, {reinterpret_cast<const char*>(digest.data()), digest.size()});
    });
}

} // namespace telemetry
