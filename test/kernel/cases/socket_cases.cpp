// SPDX-License-Identifier: MIT
// Sockets: addresses as the process gives them, both ends as the kernel has them.
#include "test/kernel/cases/cases.hpp"
#include "test/kernel/cases/socket_support.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace kernel_test {

namespace {

/// A server and a client of one family, from the socket to the last word.
void stream(Process& p, int family, Address address) {
    const long server = new_socket(p, family, SOCK_STREAM);
    const int on = 1;
    setsockopt(static_cast<int>(server), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    p.call({"bind", SYS_bind}, server, address.get(), address.length)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(server);
    p.call({"listen", SYS_listen}, server, 5).succeeds().socket(server);
    for (const bool with_address : {true, false}) {
        const long client = new_socket(p, family, SOCK_STREAM);
        p.call({"connect", SYS_connect}, client, address.get(), address.length)
            .succeeds()
            .address(1, address.get(), address.length)
            .socket(client);
        Address peer;
        peer.length = sizeof peer.storage;
        const uint64_t where = with_address ? register_value(&peer.storage) : 0;
        const uint64_t length = with_address ? register_value(&peer.length) : 0;
        Call accepted = with_address ? p.call({"accept", SYS_accept}, server, where, length)
                                     : p.call({"accept4", SYS_accept4}, server, where, length, SOCK_CLOEXEC);
        accepted.succeeds().socket(accepted.ret());
        if (with_address)
            accepted.address(1, &peer.storage, peer.length);
        p.call({"sendto", SYS_sendto}, client, "text", 4, 0, 0, 0).succeeds().socket(client);
        char buffer[16];
        p.call({"recvfrom", SYS_recvfrom}, accepted.ret(), buffer, sizeof buffer, 0, 0, 0)
            .succeeds()
            .socket(accepted.ret());
        close(static_cast<int>(client));
        close(static_cast<int>(accepted.ret()));
    }
    close(static_cast<int>(server));
    if (family == AF_UNIX)
        return;
    const long client = new_socket(p, family, SOCK_STREAM);
    p.call({"connect", SYS_connect}, client, address.get(), address.length)
        .fails(ECONNREFUSED)
        .address(1, address.get(), address.length)
        .socket_without_ends(client);
}

void inet_stream(Process& p) {
    private_network(p);
    stream(p, AF_INET, inet(4242));
}

void inet6_stream(Process& p) {
    private_network(p);
    Call try_it = p.call({"socket", SYS_socket}, AF_INET6, SOCK_DGRAM, 0);
    if (try_it.ret() < 0)
        return p.note("inet6: this kernel has no IPv6");
    try_it.socket(try_it.ret());
    stream(p, AF_INET6, inet6(4243));
}

void unix_stream(Process& p) {
    // Its name is seen as it is given, the byte after it included.
    stream(p, AF_UNIX, local(std::string("socket") + '\0'));
    const std::string path = p.at("other");
    if (path.size() < 100)
        stream(p, AF_UNIX, local(path));
}

void unix_abstract(Process& p) {
    using namespace std::string_literals;
    stream(p, AF_UNIX, local("\0kernel_tests\0\n\xff\x1b["s + std::to_string(p.identity().pid)));
}

void datagram(Process& p) {
    private_network(p);
    Address address = inet(4244);
    const long a = new_socket(p, AF_INET, SOCK_DGRAM), b = new_socket(p, AF_INET, SOCK_DGRAM);
    p.call({"bind", SYS_bind}, a, address.get(), address.length)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(a);
    p.call({"sendto", SYS_sendto}, b, "text", 4, 0, address.get(), address.length)
        .succeeds()
        .address(4, address.get(), address.length)
        .socket(b);
    char buffer[16];
    Address peer;
    peer.length = sizeof peer.storage;
    p.call({"recvfrom", SYS_recvfrom}, a, buffer, sizeof buffer, 0, &peer.storage, &peer.length)
        .succeeds()
        .address(4, &peer.storage, peer.length)
        .socket(a);
    iovec text{buffer, 4};
    msghdr message{};
    message.msg_name = address.get();
    message.msg_namelen = address.length;
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    p.call({"sendmsg", SYS_sendmsg}, b, &message, 0)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(b);
    msghdr received{};
    received.msg_name = &peer.storage;
    received.msg_namelen = sizeof peer.storage;
    received.msg_iov = &text;
    received.msg_iovlen = 1;
    Call last = p.call({"recvmsg", SYS_recvmsg}, a, &received, 0);
    last.succeeds().address(1, &peer.storage, received.msg_namelen).socket(a);
    p.call({"recvfrom", SYS_recvfrom}, a, buffer, 4, MSG_DONTWAIT, &peer.storage, &peer.length)
        .fails(EAGAIN)
        .socket(a);
    p.call({"sendmsg", SYS_sendmsg}, b, 16, 0).fails(EFAULT).no_address(1, LOG_FAULT).socket(b);
}

/// Sockets without a name have none, also in a connection from or to one.
void unix_unnamed(Process& p) {
    const long server = new_socket(p, AF_UNIX, SOCK_STREAM), client = new_socket(p, AF_UNIX, SOCK_STREAM);
    p.call({"listen", SYS_listen}, server, 5).fails(EINVAL).socket(server);
    const sa_family_t family = AF_UNIX;
    Call bound = p.call({"bind", SYS_bind}, server, &family, sizeof family);
    bound.succeeds().address(1, &family, sizeof family).socket(server); // the kernel chooses a name
    p.require(bound.entry().unix_name.length > sizeof family, "the kernel gives the socket a name");
    Address address;
    address.length = sizeof address.storage;
    getsockname(static_cast<int>(server), address.get(), &address.length);
    p.call({"listen", SYS_listen}, server, 5).succeeds().socket(server);
    p.call({"connect", SYS_connect}, client, address.get(), address.length)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(client);
    Call accepted = p.call({"accept4", SYS_accept4}, server, 0, 0, SOCK_CLOEXEC);
    accepted.succeeds().socket(accepted.ret());
    p.require(accepted.entry().unix_name.length == address.length, "the accepted socket has its listener's");
    close(static_cast<int>(server));
}

void netlink(Process& p) {
    const long fd = new_socket(p, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    Address address;
    auto& nl = reinterpret_cast<sockaddr_nl&>(address.storage);
    nl.nl_family = AF_NETLINK;
    nl.nl_groups = 1;
    address.length = sizeof nl;
    p.call({"bind", SYS_bind}, fd, address.get(), address.length)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(fd);
    nl.nl_groups = 0;
    p.call({"connect", SYS_connect}, fd, address.get(), address.length)
        .succeeds()
        .address(1, address.get(), address.length)
        .socket(fd);
}

void other_families(Process& p) {
    private_network(p);
    Call packet = p.call({"socket", SYS_socket}, AF_PACKET, SOCK_RAW, 0);
    if (packet.may_fail().ret() >= 0)
        packet.socket(packet.ret());
    else
        packet.no_socket();
    Call raw = p.call({"socket", SYS_socket}, AF_INET, SOCK_RAW, IPPROTO_ICMP);
    raw.succeeds().socket(raw.ret());
    p.call({"socket", SYS_socket}, 4000, SOCK_STREAM, 0).fails(EAFNOSUPPORT);
    int pair[2];
    p.call({"socketpair", SYS_socketpair}, AF_UNIX, SOCK_DGRAM, 0, pair).succeeds();
}

void bad_sockets(Process& p) {
    Address address = inet(4245);
    p.call({"connect", SYS_connect}, 500, address.get(), address.length)
        .fails(EBADF)
        .address(1, address.get(), address.length)
        .no_socket();
    const int file = p.make_file("file");
    p.call({"connect", SYS_connect}, file, address.get(), address.length)
        .fails(ENOTSOCK)
        .address(1, address.get(), address.length)
        .no_socket();
    p.call({"listen", SYS_listen}, -1, 1).fails(EBADF).no_socket();
    p.call({"accept", SYS_accept}, file, 0, 0).fails(ENOTSOCK).no_socket();
    p.call({"accept4", SYS_accept4}, -1, 0, 0, 0).fails(EBADF).no_socket();
    const long fd = new_socket(p, AF_UNIX, SOCK_STREAM);
    p.call({"connect", SYS_connect}, fd, 16, 16).fails(EFAULT).no_address(1, LOG_FAULT).socket(fd);
    p.call({"connect", SYS_connect}, fd, address.get(), 0).no_address(1, LOG_UNAVAILABLE).socket(fd);
    // Only so much of a long one is kept: more than any address has.
    static char oversized[300] = {1};
    Call call = p.call({"connect", SYS_connect}, fd, oversized, sizeof oversized);
    call.fails(EINVAL).address(1, oversized, 128).socket(fd);
    call.entry().sockaddr.status = LOG_TRUNCATED;
    call.entry().sockaddr.original = sizeof oversized;
}

} // namespace

Cases socket_cases() {
    return {
        {"inet", inet_stream},
        {"inet6", inet6_stream},
        {"unix", unix_stream},
        {"abstract", unix_abstract, false},
        {"unnamed", unix_unnamed, false},
        {"datagram", datagram},
        {"netlink", netlink},
        {"other_families", other_families},
        {"bad_sockets", bad_sockets},
    };
}

} // namespace kernel_test
