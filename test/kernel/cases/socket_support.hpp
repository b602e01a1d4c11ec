// SPDX-License-Identifier: MIT
// Sockets and their addresses, for the cases that are about them.
#pragma once
#include "test/kernel/process.hpp"

#include <arpa/inet.h>
#include <cstddef>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace kernel_test {

/// A network of its own, where every port is free.
inline void private_network(Process& p) {
    Call own = p.call({"unshare", SYS_unshare}, CLONE_NEWNET);
    if (own.ret() < 0)
        return p.note("the socket cases run in the machine's own network: it gives no private one");
    Call call = p.call({"socket", SYS_socket}, AF_INET, SOCK_DGRAM, 0);
    const long fd = call.succeeds().socket(call.ret()).ret();
    ifreq request{};
    log_string(request.ifr_name, sizeof request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    p.call({"ioctl", SYS_ioctl}, fd, SIOCSIFFLAGS, &request).succeeds().detached(0, fd, "socket:[#]");
    close(static_cast<int>(fd));
}

inline long new_socket(Process& p, int family, int type, int protocol = 0) {
    Call call = p.call({"socket", SYS_socket}, family, type, protocol);
    call.succeeds();
    if (call.ret() >= 0)
        call.socket(call.ret());
    return call.ret();
}

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

inline Address inet(uint16_t port) {
    Address address;
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.length = sizeof v4;
    return address;
}

inline Address inet6(uint16_t port) {
    Address address;
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    address.length = sizeof v6;
    return address;
}

/// `name` may start with NUL: an abstract one.
inline Address local(std::string_view name) {
    Address address;
    auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
    un.sun_family = AF_UNIX;
    memcpy(un.sun_path, name.data(), name.size());
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return address;
}

} // namespace kernel_test
