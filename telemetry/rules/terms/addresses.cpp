// SPDX-License-Identifier: MIT
#include "telemetry/rules/terms/addresses.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>

#include "telemetry/rules/resolve.hpp"

namespace telemetry::rules::terms {
namespace {

using Ip = std::array<uint8_t, 16>; ///< IPv4 as ::ffff:a.b.c.d

constexpr char NETWORK = 'n'; ///< an Ip and how many of its bits count follow
constexpr char UNIX = 'u';    ///< the name follows, an abstract one behind a NUL
constexpr uint8_t IP_BITS = 128, IPV4_BITS = 32, MAPPED_BITS = IP_BITS - IPV4_BITS;
constexpr size_t FAMILY_SIZE = 2, PORT_AT = 2, INET_IP_AT = 4, INET_SIZE = 8, INET6_IP_AT = 8,
                 INET6_SIZE = 24;

Ip mapped(const void* ipv4) {
    Ip ip{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(ip.data() + MAPPED_BITS / 8, ipv4, IPV4_BITS / 8);
    return ip;
}

std::optional<uint8_t> parse_bits(std::string_view text, uint8_t most) {
    uint8_t bits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    return is_number && bits <= most ? std::optional(bits) : std::nullopt;
}

uint16_t family_of(std::string_view bytes) {
    uint16_t family = 0;
    memcpy(&family, bytes.data(), sizeof(family));
    return family;
}

uint16_t port_of(std::string_view bytes) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[PORT_AT]) << 8 |
                                 static_cast<uint8_t>(bytes[PORT_AT + 1]));
}

bool is_inet(std::string_view bytes) {
    return bytes.size() >= INET_SIZE && family_of(bytes) == AF_INET;
}

bool is_inet6(std::string_view bytes) {
    return bytes.size() >= INET6_SIZE && family_of(bytes) == AF_INET6;
}

bool in_network(const Ip& ip, std::string_view network) {
    const auto bits = static_cast<uint8_t>(network.back());
    const size_t whole = bits / 8;
    if (memcmp(ip.data(), network.data(), whole) != 0)
        return false;
    const auto mask = static_cast<uint8_t>(0xff00 >> bits % 8);
    return bits % 8 == 0 || ((ip[whole] ^ static_cast<uint8_t>(network[whole])) & mask) == 0;
}

bool is_unix(std::string_view bytes, std::string_view wanted) {
    if (bytes.size() <= FAMILY_SIZE || family_of(bytes) != AF_UNIX)
        return false;
    const std::string_view name = bytes.substr(FAMILY_SIZE);
    return name.front() == '\0' ? name == wanted : name.substr(0, name.find('\0')) == wanted;
}

/// Is the socket address, as calls have it, the one that is wanted?
bool fits(std::string_view bytes, std::string_view wanted) {
    if (bytes.size() < FAMILY_SIZE)
        return false;
    const std::string_view value = wanted.substr(1);
    if (wanted.front() == UNIX)
        return is_unix(bytes, value);
    Ip ip;
    if (is_inet(bytes))
        ip = mapped(bytes.data() + INET_IP_AT);
    else if (is_inet6(bytes))
        memcpy(ip.data(), bytes.data() + INET6_IP_AT, ip.size());
    else
        return false;
    return in_network(ip, value);
}

/// Has the socket a far end, as far as the kernel's structures say?
bool has_far_end(const SocketInfo& socket) {
    const bool is_ip = socket.family == AF_INET || socket.family == AF_INET6;
    const bool has_ip =
        std::any_of(socket.remote.begin(), socket.remote.end(), [](uint8_t byte) { return byte; });
    return is_ip && (socket.remote_port != 0 || has_ip);
}

bool far_end_fits(const SocketInfo& socket, std::string_view wanted) {
    if (wanted.front() != NETWORK || !has_far_end(socket))
        return false;
    return in_network(socket.family == AF_INET ? mapped(socket.remote.data()) : socket.remote,
                      wanted.substr(1));
}

bool failed(Status status) {
    return status == Status::fault || status == Status::unavailable;
}

/// Might there be an address that the event does not have?
bool hides_an_address(const Event& event) {
    const uint32_t kept = event.witnessed ? event.witnessed->addresses : 0;
    const uint32_t all = event.witnessed ? event.witnessed->address_count : 0;
    return failed(event.sockaddr.status) || all > kept || event.lost_fields;
}

/// Calls `use` with each socket address that the call gave or got.
template <class Use> void each_address(const Event& event, Use use) {
    if (event.sockaddr.known())
        use(event.sockaddr.bytes);
    const size_t witnessed = event.witnessed ? event.witnessed->addresses : 0;
    for (size_t i = 0; i < witnessed && i < event.witnessed->address.size(); ++i)
        use(event.witnessed->address[i].bytes);
}

} // namespace

std::optional<std::string> encode_address(std::string_view text) {
    if (text.starts_with('/') && text.size() > 1)
        return UNIX + std::string(text);
    if (text.starts_with('@') && text.size() > 1)
        return UNIX + std::string(1, '\0') + std::string(text.substr(1));
    const size_t slash = text.find('/');
    const std::string name(text.substr(0, slash));
    Ip ip{};
    std::array<uint8_t, IPV4_BITS / 8> ipv4{};
    const bool is_ipv4 = inet_pton(AF_INET, name.c_str(), ipv4.data()) == 1;
    if (!is_ipv4 && inet_pton(AF_INET6, name.c_str(), ip.data()) != 1)
        return std::nullopt;
    if (is_ipv4)
        ip = mapped(ipv4.data());
    const uint8_t most = is_ipv4 ? IPV4_BITS : IP_BITS;
    const auto bits = slash == text.npos ? most : parse_bits(text.substr(slash + 1), most);
    if (!bits)
        return std::nullopt;
    std::string encoded(1, NETWORK);
    encoded.append(reinterpret_cast<const char*>(ip.data()), ip.size());
    return encoded + static_cast<char>(is_ipv4 ? *bits + MAPPED_BITS : *bits);
}

Truth address(const TextTest& test, const Event& event) {
    bool found = far_end_fits(event.socket, test.text);
    each_address(event, [&](std::string_view bytes) { found = found || fits(bytes, test.text); });
    return found ? Truth::yes : hides_an_address(event) ? Truth::unknown : Truth::no;
}

Values port(const Event& event) {
    Values values;
    values.hides = hides_an_address(event);
    if (has_far_end(event.socket))
        values.add(event.socket.remote_port);
    each_address(event, [&](std::string_view bytes) {
        if (is_inet(bytes) || is_inet6(bytes))
            values.add(port_of(bytes));
    });
    return values;
}

Values family(const Event& event) {
    Values values;
    values.hides = hides_an_address(event);
    each_address(event, [&](std::string_view bytes) {
        if (bytes.size() >= FAMILY_SIZE)
            values.add(family_of(bytes));
    });
    return values;
}

} // namespace telemetry::rules::terms
