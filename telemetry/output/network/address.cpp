// SPDX-License-Identifier: MIT
#include "telemetry/output/network/address.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include "telemetry/base/escape.hpp"

namespace telemetry {
namespace {

// struct sockaddr_in, _in6, _un and _nl as bytes: the views need not be aligned.
constexpr size_t family_size = 2;
constexpr size_t port_at = 2;
constexpr size_t inet_ip_at = 4;
constexpr size_t inet_size = 8; // what follows is padding
constexpr size_t inet6_ip_at = 8;
constexpr size_t inet6_size = 24; // what RFC 2133 had; the kernel takes it still
constexpr size_t inet6_scope_at = 24;
constexpr size_t inet6_scope_size = 28;
constexpr size_t netlink_port_at = 4;
constexpr size_t netlink_groups_at = 8;
constexpr size_t netlink_size = 12;

template <class Number> Number load(std::string_view bytes, size_t at) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof(number));
    return number;
}

uint16_t load_port(std::string_view bytes) {
    return static_cast<uint16_t>(static_cast<uint8_t>(bytes[port_at]) << 8 |
                                 static_cast<uint8_t>(bytes[port_at + 1]));
}

void parse_inet(std::string_view bytes, Address& address) {
    if (bytes.size() < inet_size)
        return;
    address.form = Address::Form::inet;
    address.port = load_port(bytes);
    std::memcpy(address.ip.data(), bytes.data() + inet_ip_at, 4);
}

void parse_inet6(std::string_view bytes, Address& address) {
    if (bytes.size() < inet6_size)
        return;
    address.form = Address::Form::inet6;
    address.port = load_port(bytes);
    std::memcpy(address.ip.data(), bytes.data() + inet6_ip_at, 16);
    if (bytes.size() >= inet6_scope_size)
        address.scope = load<uint32_t>(bytes, inet6_scope_at);
}

void parse_unix(std::string_view bytes, Address& address) {
    const std::string_view name = bytes.substr(family_size);
    if (name.empty()) {
        address.form = Address::Form::unix_unnamed;
    } else if (name.front() == '\0') {
        address.form = Address::Form::unix_abstract; // of exactly this length, NULs and all
        address.name = name.substr(1);
    } else {
        address.form = Address::Form::unix_path;
        address.name = name.substr(0, name.find('\0'));
    }
}

void parse_netlink(std::string_view bytes, Address& address) {
    if (bytes.size() < netlink_size)
        return;
    address.form = Address::Form::netlink;
    address.netlink_port = load<uint32_t>(bytes, netlink_port_at);
    address.groups = load<uint32_t>(bytes, netlink_groups_at);
}

/// Does it talk to one peer alone?
bool has_peer(const SocketInfo& socket) {
    return socket.type == SOCK_STREAM || socket.type == SOCK_SEQPACKET;
}

bool has_ports(const SocketInfo& socket) {
    return socket.type != SOCK_RAW && (socket.protocol == IPPROTO_TCP || socket.protocol == IPPROTO_UDP);
}

/// Of a connection that failed the kernel keeps an address without a port: no end of anything.
Address end_of(const SocketInfo& socket, const std::array<uint8_t, 16>& ip, uint16_t port) {
    Address address;
    const bool inet = socket.family == AF_INET;
    const bool has_ip = std::ranges::any_of(ip, [](uint8_t byte) { return byte != 0; });
    const bool set = (port && socket.type != SOCK_RAW) || (has_ip && !has_ports(socket));
    if ((!inet && socket.family != AF_INET6) || !set)
        return address;
    address.form = inet ? Address::Form::inet : Address::Form::inet6;
    address.family = socket.family;
    address.port = port;
    address.ip = ip;
    return address;
}

void put_ipv4(LineBuffer& line, const uint8_t* ip) {
    for (int i = 0; i < 4; ++i) {
        if (i)
            line.put('.');
        line.put_decimal(ip[i]);
    }
}

struct Run {
    int first = 0;
    int length = 0;
};

/// The longest run of zero groups; the first of several, and none of less than two groups.
Run longest_zeroes(const std::array<uint16_t, 8>& groups) {
    Run best;
    Run current;
    for (int i = 0; i < 8; ++i) {
        if (groups[static_cast<size_t>(i)]) {
            current = {i + 1, 0};
        } else if (++current.length > best.length) {
            best = current;
        }
    }
    return best.length > 1 ? best : Run{};
}

void put_ipv6(LineBuffer& line, const std::array<uint8_t, 16>& ip) {
    static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(ip.data(), mapped, sizeof(mapped)) == 0) {
        line.put("::ffff:");
        put_ipv4(line, ip.data() + sizeof(mapped));
        return;
    }
    std::array<uint16_t, 8> groups;
    for (size_t i = 0; i < 8; ++i)
        groups[i] = static_cast<uint16_t>(ip[2 * i] << 8 | ip[2 * i + 1]);
    const Run zeroes = longest_zeroes(groups);
    for (int i = 0; i < 8; ++i) {
        if (zeroes.length && i == zeroes.first) {
            line.put("::");
            i += zeroes.length - 1;
            continue;
        }
        if (i && i != zeroes.first + zeroes.length)
            line.put(':');
        line.put_hex(groups[static_cast<size_t>(i)]);
    }
}

/// Which of what is known is the address that the call was about.
bool prefers_sockaddr(const Event& event, SocketRole role) {
    const bool connecting = !event.success() && event.ret == -EINPROGRESS;
    if (!event.success() && !connecting)
        return true; // what was asked for; the socket does not have it
    if (role == SocketRole::own)
        return false;
    const bool connect = event.call && event.call->move.kind == EBT_MOVE_CONNECT;
    return !connect && !has_peer(event.socket) && role != SocketRole::none; // each datagram has its own
}

/// A link-local address says little without its interface, which only the caller's copy has.
Address with_scope(Address address, const Event& event) {
    if (address.form != Address::Form::inet6 || !event.sockaddr.known())
        return address;
    const Address given = parse_sockaddr(event.sockaddr.bytes);
    if (given.form == Address::Form::inet6 && given.ip == address.ip)
        address.scope = given.scope;
    return address;
}

} // namespace

Address parse_sockaddr(std::string_view bytes) {
    Address address;
    if (bytes.size() < family_size) {
        address.form = bytes.empty() ? Address::Form::none : Address::Form::raw;
        address.name = bytes;
        return address;
    }
    address.form = Address::Form::other;
    address.family = load<uint16_t>(bytes, 0);
    address.name = bytes.substr(family_size);
    switch (address.family) {
    case AF_INET:
        parse_inet(bytes, address);
        break;
    case AF_INET6:
        parse_inet6(bytes, address);
        break;
    case AF_UNIX:
        parse_unix(bytes, address);
        break;
    case AF_NETLINK:
        parse_netlink(bytes, address);
        break;
    default:
        break;
    }
    return address;
}

Address local_end(const SocketInfo& socket) {
    return end_of(socket, socket.local, socket.local_port);
}

Address remote_end(const SocketInfo& socket) {
    return end_of(socket, socket.remote, socket.remote_port);
}

void put_ip(LineBuffer& line, const Address& address) {
    if (address.form == Address::Form::inet) {
        put_ipv4(line, address.ip.data());
        return;
    }
    put_ipv6(line, address.ip);
    if (address.scope) {
        line.put('%');
        line.put_decimal(address.scope);
    }
}

namespace {

void put_port(LineBuffer& line, const Address& address) {
    if (!address.has_port)
        return;
    line.put(':');
    line.put_decimal(address.port);
}

} // namespace

void put_address(LineBuffer& line, const Address& address) {
    switch (address.form) {
    case Address::Form::none:
        break;
    case Address::Form::inet:
        put_ip(line, address);
        put_port(line, address);
        break;
    case Address::Form::inet6:
        line.put('[');
        put_ip(line, address);
        line.put(']');
        put_port(line, address);
        break;
    case Address::Form::unix_path:
        line.put("unix:");
        put_text_escaped(line, address.name);
        break;
    case Address::Form::unix_abstract:
        line.put("unix-abstract:");
        put_text_escaped(line, address.name);
        break;
    case Address::Form::unix_unnamed:
        line.put("unix-unnamed");
        break;
    case Address::Form::netlink:
        line.put("netlink:port=");
        line.put_decimal(address.netlink_port);
        line.put(",groups=");
        line.put_hex(address.groups);
        break;
    case Address::Form::other:
        line.put("family-");
        line.put_decimal(address.family);
        line.put(':');
        line.put_hex_bytes(address.name);
        break;
    case Address::Form::raw:
        line.put("raw:");
        line.put_hex_bytes(address.name);
        break;
    }
}

void put_all_addresses(LineBuffer& line, const Witnessed& witnessed) {
    line.put(" addrs=[");
    for (size_t i = 0; i < witnessed.addresses; ++i) {
        line.put(i ? ",\"" : "\"");
        put_address(line, parse_sockaddr(witnessed.address[i].bytes));
        line.put('"');
    }
    line.put(']');
    if (witnessed.address_count > witnessed.addresses) {
        line.put(" addrs_count=");
        line.put_decimal(witnessed.address_count);
    }
}

void put_passed_descriptors(LineBuffer& line, const PassedDescriptors& passed) {
    line.put(" passed_fds=");
    if (!passed.kept)
        line.put('?');
    for (size_t i = 0; i < passed.kept; ++i) {
        if (i)
            line.put(',');
        line.put_signed(passed.fd[i]);
    }
    if (passed.count > passed.kept) {
        line.put(" passed_fds_count=");
        line.put_decimal(passed.count);
    }
}

SocketRole socket_role(const Event& event) {
    const ebpf_loader::SyscallRow* call = event.call;
    if (call && (call->flags & EBT_PLAN_SOCKETCALL))
        call = ebpf_loader::find_socketcall(event.args[0]);
    return call ? call->role : SocketRole::none;
}

Ends ends_of(const Event& event, SocketRole role) {
    Ends ends;
    if (event.socket_status == Status::ok) {
        ends.local = local_end(event.socket);
        ends.remote = remote_end(event.socket);
    }
    if (event.socket_status == Status::ok && event.socket.family == AF_UNIX)
        ends.local = parse_sockaddr(event.unix_name);
    const Address& kernel = role == SocketRole::own ? ends.local : ends.remote;
    const bool has_kernel = kernel.form != Address::Form::none;
    const bool has_sockaddr = event.sockaddr.known() && !event.sockaddr.bytes.empty();
    ends.from_sockaddr = has_sockaddr && (!has_kernel || prefers_sockaddr(event, role));
    if (ends.from_sockaddr)
        ends.named = parse_sockaddr(event.sockaddr.bytes);
    else
        ends.named = with_scope(kernel, event);
    if (event.socket_status == Status::ok && event.socket.type == SOCK_RAW)
        for (Address* end : {&ends.local, &ends.remote, &ends.named})
            end->has_port = false; // the kernel has the protocol there
    return ends;
}

} // namespace telemetry
