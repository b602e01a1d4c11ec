// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/sockaddr.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace telemetry {
namespace {

using Form = Address::Form;

constexpr size_t least_unix = 4; // what auditd's tools take; the rest is NULs, as in the kernel's own copy
constexpr size_t longest = sizeof(sockaddr_storage);

template <class Address> std::string_view bytes_of(const Address& address) {
    return {reinterpret_cast<const char*>(&address), sizeof(address)};
}

void put_inet(AuditLine& line, const Address& address) {
    sockaddr_in inet = {};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(address.port);
    std::memcpy(&inet.sin_addr, address.ip.data(), sizeof(inet.sin_addr));
    line.put_untrusted_hex(bytes_of(inet));
}

void put_inet6(AuditLine& line, const Address& address) {
    sockaddr_in6 inet = {};
    inet.sin6_family = AF_INET6;
    inet.sin6_port = htons(address.port);
    std::memcpy(&inet.sin6_addr, address.ip.data(), sizeof(inet.sin6_addr));
    inet.sin6_scope_id = address.scope;
    line.put_untrusted_hex(bytes_of(inet));
}

/// auditd puts a path there as it is: only one that can be mistaken for nothing else is.
void put_path(AuditLine& line, std::string_view path) {
    path = path.substr(0, std::min(path.find('\0'), sizeof(sockaddr_un::sun_path)));
    const bool is_harmless =
        !AuditLine::needs_hex(path, AuditRule::strict) && path.find_first_of("{}") == std::string_view::npos;
    line.put(is_harmless && !path.empty() ? path : std::string_view("?"));
}

/// "SADDR={ saddr_fam=inet laddr=10.0.0.1 lport=443 }"
void put_enriched(AuditLine& line, const Address& address) {
    static constexpr std::string_view end = " }";
    switch (address.form) {
    case Form::inet:
    case Form::inet6:
        line.put(address.form == Form::inet ? "\035SADDR={ saddr_fam=inet laddr="
                                            : "\035SADDR={ saddr_fam=inet6 laddr=");
        put_ip(line, address);
        line.put(" lport=");
        line.put_decimal(address.port);
        break;
    case Form::unix_path:
    case Form::unix_abstract:
    case Form::unix_unnamed:
        line.put("\035SADDR={ saddr_fam=local path=");
        put_path(line, address.name);
        break;
    case Form::netlink:
        line.put("\035SADDR={ saddr_fam=netlink nlnk-fam=16 nlnk-pid=");
        line.put_decimal(address.netlink_port);
        break;
    default:
        return;
    }
    line.put(end);
}

} // namespace

bool is_audit_address(const Address& address) {
    const bool has_form = address.form != Form::none && address.form != Form::raw;
    const bool is_short =
        address.form == Form::other &&
        (address.family == AF_INET || address.family == AF_INET6 || address.family == AF_NETLINK);
    return has_form && !is_short;
}

void put_audit_sockaddr(AuditLine& line, const Address& address, std::string_view bytes, bool enriches) {
    line.begin("SOCKADDR");
    line.put(" saddr=");
    bytes = bytes.substr(0, longest);
    if (address.form == Form::inet && bytes.size() < sizeof(sockaddr_in)) {
        put_inet(line, address);
    } else if (address.form == Form::inet6 && bytes.size() < sizeof(sockaddr_in6)) {
        put_inet6(line, address);
    } else {
        line.put_untrusted_hex(bytes);
        if (address.family == AF_UNIX)
            for (size_t size = bytes.size(); size < least_unix; ++size)
                line.put("00");
    }
    if (enriches)
        put_enriched(line, address);
    line.end();
}

} // namespace telemetry
