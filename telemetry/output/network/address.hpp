// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "telemetry/base/line_buffer.hpp"
#include "telemetry/event/event.hpp"

namespace telemetry {

/// A socket address taken apart. Views point into the event.
struct Address {
    enum class Form : uint8_t {
        none,          ///< there is no address
        inet,          ///< ip[0..3], port
        inet6,         ///< ip, port, scope
        unix_path,     ///< name
        unix_abstract, ///< name, without the NUL that marks it
        unix_unnamed,
        netlink, ///< netlink_port, groups
        other,   ///< name: the bytes behind the family
        raw,     ///< name: fewer bytes than a family has
    };
    Form form = Form::none;
    uint16_t family = 0;
    uint16_t port = 0;
    bool has_port = true; ///< false: of a raw socket
    uint32_t scope = 0;
    uint32_t netlink_port = 0;
    uint32_t groups = 0;
    std::array<uint8_t, 16> ip{};
    std::string_view name;

    bool is_ip() const { return form == Form::inet || form == Form::inet6; }
};

/// Takes any bytes, of any length.
Address parse_sockaddr(std::string_view bytes);

/// The ends of a socket as the kernel keeps them; Form::none for families other than inet
/// and inet6, and for an end that is not set.
Address local_end(const SocketInfo& socket);
Address remote_end(const SocketInfo& socket);

/// "10.0.0.1", "2001:db8::1", "fe80::1%2" (RFC 5952).
void put_ip(LineBuffer& line, const Address& address);
/// What a text line has between the quotes of addr="...": see docs/output.md.
void put_address(LineBuffer& line, const Address& address);
/// The descriptors that messages carry: " passed_fds=5,6".
void put_passed_descriptors(LineBuffer& line, const PassedDescriptors& passed);
/// The addresses of a call that sent to several, each once until another one comes: " addrs=[...]".
void put_all_addresses(LineBuffer& line, const Witnessed& witnessed);

using ebpf_loader::SocketRole;

/// What the call does with addresses; for i386's socketcall(2), the call it stands for.
SocketRole socket_role(const Event& event);

/// The addresses of an event. Where the kernel's own structures have the address that the
/// call was about, they are taken and not what lies in the caller's memory.
struct Ends {
    Address named;              ///< the address that the call is about
    bool from_sockaddr = false; ///< `named` is Event::sockaddr; otherwise the kernel's socket
    Address local;
    Address remote;
};
Ends ends_of(const Event& event, SocketRole role);

} // namespace telemetry
