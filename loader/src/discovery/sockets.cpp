// SPDX-License-Identifier: LGPL-2.1
// Datagram sockets between addresses of the loopback network: no packet is ever sent.
#include "loader/src/discovery/steps.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t sock_bytes = 2048;

struct End {
    in_addr_t address = 0; ///< in network order
    uint16_t port = 0;     ///< in the host's
};

End end(const char* address, uint16_t port) {
    return {inet_addr(address), port};
}

in6_addr mapped(in_addr_t address) {
    in6_addr result{};
    result.s6_addr[10] = result.s6_addr[11] = 0xff;
    memcpy(result.s6_addr + 12, &address, sizeof(address));
    return result;
}

/// One call with an IPv4 address, as an IPv6 one if the socket is of that family.
int64_t with_address(HelperProcess& p, int64_t call, int fd, int family, const End& to) {
    if (family == AF_INET) {
        auto* address = static_cast<sockaddr_in*>(p.room(sizeof(sockaddr_in)));
        address->sin_family = AF_INET;
        address->sin_port = htons(to.port);
        address->sin_addr.s_addr = to.address;
        return p.call(call, as_argument(fd), as_argument(address), sizeof(*address));
    }
    auto* address = static_cast<sockaddr_in6*>(p.room(sizeof(sockaddr_in6)));
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(to.port);
    address->sin6_addr = mapped(to.address);
    return p.call(call, as_argument(fd), as_argument(address), sizeof(*address));
}

/// A socket in one state of its life.
struct Look {
    int family, type, protocol;
    std::optional<End> local, remote; ///< if they are known
    in6_addr local6 = {}, remote6 = {};
    uint64_t file = 0;
    Block socket = {}, sock = {};
};

/// Makes sockets and keeps what is known of them.
class Sockets {
  public:
    explicit Sockets(Setup& s) : setup_(s), helper_(s.helpers.spawn()) {}

    /// A loopback network that is up: the one around us, or a private one.
    void find_network() {
        if (try_loopback())
            return;
        helper_.must("creating a network namespace (unshare)", SYS_unshare, CLONE_NEWNET);
        const int fd = make(AF_INET, SOCK_DGRAM, 0);
        auto* request = static_cast<ifreq*>(helper_.room(sizeof(ifreq)));
        memcpy(request->ifr_name, "lo", 3);
        request->ifr_flags = IFF_UP;
        helper_.must("starting the loopback device", SYS_ioctl, as_argument(fd), SIOCSIFFLAGS,
                     as_argument(request));
        if (!try_loopback())
            throw Unobservable("there is no loopback network");
    }

    int make(int family, int type, int protocol) {
        return static_cast<int>(helper_.must("making a socket", SYS_socket, as_argument(family),
                                             as_argument(type | SOCK_CLOEXEC), as_argument(protocol)));
    }
    bool can_make(int family) {
        return helper_.call(SYS_socket, as_argument(family), SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0;
    }
    void bind(int fd, int family, const End& to) { check(with_address(helper_, SYS_bind, fd, family, to)); }
    void connect(int fd, int family, const End& to) {
        check(with_address(helper_, SYS_connect, fd, family, to));
    }
    void disconnect(int fd) {
        auto* nowhere = static_cast<sockaddr*>(helper_.room(sizeof(sockaddr)));
        nowhere->sa_family = AF_UNSPEC;
        check(helper_.call(SYS_connect, as_argument(fd), as_argument(nowhere), sizeof(*nowhere)));
    }
    void bind_multicast6(int fd, const in6_addr& group, uint16_t port) {
        auto* address = static_cast<sockaddr_in6*>(helper_.room(sizeof(sockaddr_in6)));
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port);
        address->sin6_addr = group;
        check(helper_.call(SYS_bind, as_argument(fd), as_argument(address), sizeof(*address)));
    }
    /// Completes a look with the kernel's memory, as far as the way there is known.
    Look look(int fd, Look known) const {
        const auto& found = setup_.found;
        known.file = setup_.file(helper_, fd);
        if (!found.knows("socket.sk"))
            return known;
        const uint64_t socket = setup_.memory.read_pointer(known.file + found["file.private_data"]);
        known.socket = setup_.memory.read(socket, socket_bytes);
        known.sock = setup_.memory.read(known.socket.at<uint64_t>(found["socket.sk"]), sock_bytes);
        return known;
    }

  private:
    static void check(int64_t result) {
        if (result < 0)
            throw Unobservable(std::string("giving a socket an address failed: ") +
                               strerror(static_cast<int>(-result)));
    }
    bool try_loopback() {
        const int fd = make(AF_INET, SOCK_DGRAM, 0);
        const bool good = with_address(helper_, SYS_bind, fd, AF_INET, end("127.77.7.7", 0)) == 0 &&
                          with_address(helper_, SYS_connect, fd, AF_INET, end("127.77.7.8", 7777)) == 0;
        helper_.call(SYS_close, as_argument(fd));
        return good;
    }

    Setup& setup_;
    HelperProcess& helper_;
};

/// file.private_data and socket.sk: the way from two connected sockets' files to the ports
/// and addresses of their ends, through a structure that knows the file itself.
void find_way(Setup& s, const Look& first, const Look& second) {
    const auto holds = [](const Block& sock, const Look& look) {
        const auto has = [&](auto value) { return !places<decltype(value)>({{&sock, value}}).empty(); };
        return has(look.local->address) && has(look.remote->address) && has(htons(look.remote->port)) &&
               has(look.local->port);
    };
    const Block files[] = {s.memory.read(first.file, file_bytes), s.memory.read(second.file, file_bytes)};
    std::vector<uint32_t> private_data, sk;
    for (uint32_t pointer = 0; pointer + 8 <= file_bytes; pointer += 8) {
        const uint64_t at[] = {files[0].at<uint64_t>(pointer), files[1].at<uint64_t>(pointer)};
        if (!is_heap_pointer(at[0]) || !is_heap_pointer(at[1]) || at[0] == at[1])
            continue;
        const Block sockets[] = {s.memory.read(at[0], socket_bytes), s.memory.read(at[1], socket_bytes)};
        if (places<uint64_t>({{&sockets[0], first.file}, {&sockets[1], second.file}}).empty())
            continue;
        for (uint32_t offset : places_if({&sockets[0], &sockets[1]}, 8, [&](size_t place) {
                 const auto a = sockets[0].at<uint64_t>(place), b = sockets[1].at<uint64_t>(place);
                 return is_heap_pointer(a) && is_heap_pointer(b) && a != b &&
                        holds(s.memory.read(a, sock_bytes), first) &&
                        holds(s.memory.read(b, sock_bytes), second);
             })) {
            private_data.push_back(pointer);
            sk.push_back(offset);
        }
    }
    s.found.settle("file.private_data", private_data);
    s.found.settle("socket.sk", sk);
}

template <typename Value, typename Get>
std::vector<uint32_t> places_of(const std::vector<Look>& looks, Block Look::*block, Get get) {
    std::vector<Observation> observations;
    for (const Look& look : looks)
        if (const std::optional<uint64_t> value = get(look))
            observations.push_back({&(look.*block), *value});
    return observations.empty() ? std::vector<uint32_t>{} : places<Value>(observations);
}

std::vector<uint32_t> places_of6(const std::vector<Look>& looks, in6_addr Look::*address) {
    std::vector<const Block*> blocks;
    for (const Look& look : looks)
        blocks.push_back(&look.sock);
    return places_if(blocks, sizeof(uint32_t), [&](size_t offset) {
        return std::all_of(looks.begin(), looks.end(), [&](const Look& look) {
            return look.sock.has(offset, sizeof(in6_addr)) &&
                   memcmp(look.sock.bytes.data() + offset, &(look.*address), sizeof(in6_addr)) == 0;
        });
    });
}

/// IPv4 sockets, some of them looked at several times. One bound to a multicast address keeps
/// it as what it receives at alone; one disconnected keeps its peer nowhere but in caches.
std::vector<Look> look_at_ipv4(Sockets& sockets) {
    const Look udp{.family = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP};
    const auto with = [&](const End& local, const End& remote) {
        Look look = udp;
        look.local = local;
        look.remote = remote;
        return look;
    };
    const End nowhere{};
    std::vector<Look> looks;
    const End local = end("127.77.1.2", 30101), remote = end("127.77.3.4", 30102);
    const int first = sockets.make(AF_INET, SOCK_DGRAM, 0);
    sockets.bind(first, AF_INET, local);
    looks.push_back(sockets.look(first, with(local, nowhere)));
    sockets.connect(first, AF_INET, remote);
    looks.push_back(sockets.look(first, with(local, remote)));
    sockets.disconnect(first);
    looks.push_back(sockets.look(first, with(local, nowhere)));
    const End group = end("224.77.5.6", 30103);
    const int second = sockets.make(AF_INET, SOCK_DGRAM, 0);
    sockets.bind(second, AF_INET, group);
    looks.push_back(sockets.look(second, with(group, nowhere)));
    return looks;
}

/// IPv6 sockets; their addresses are IPv4 ones in IPv6's clothes, for those of loopback are one.
std::vector<Look> look_at_ipv6(Sockets& sockets) {
    const auto with = [](const End& local, const End& remote) {
        Look look{.family = AF_INET6, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP};
        look.local = local;
        look.remote = remote;
        look.local6 = mapped(local.address);
        if (remote.port)
            look.remote6 = mapped(remote.address);
        return look;
    };
    std::vector<Look> looks;
    const End local = end("127.77.8.9", 30201), remote = end("127.77.10.11", 30202), nowhere{};
    const int first = sockets.make(AF_INET6, SOCK_DGRAM, 0);
    sockets.bind(first, AF_INET6, local);
    looks.push_back(sockets.look(first, with(local, nowhere)));
    sockets.connect(first, AF_INET6, remote);
    looks.push_back(sockets.look(first, with(local, remote)));
    in6_addr group{};
    group.s6_addr[0] = 0xff, group.s6_addr[1] = 0x0e, group.s6_addr[15] = 0x77;
    const int second = sockets.make(AF_INET6, SOCK_DGRAM, 0);
    sockets.bind_multicast6(second, group, 30203);
    Look multicast = with(End{0, 30203}, nowhere);
    multicast.local.reset();
    multicast.local6 = group;
    looks.push_back(sockets.look(second, multicast));
    return looks;
}

/// One socket each of other kinds.
std::vector<Look> look_at_others(Sockets& sockets) {
    std::vector<Look> looks;
    const auto raw = [](uint16_t protocol) { // whose local port is its protocol
        Look look{.family = AF_INET, .type = SOCK_RAW, .protocol = protocol};
        look.local = End{0, protocol};
        return look;
    };
    const Look kinds[] = {{.family = AF_UNIX, .type = SOCK_STREAM, .protocol = 0},
                          {.family = AF_UNIX, .type = SOCK_SEQPACKET, .protocol = 0},
                          {.family = AF_INET, .type = SOCK_STREAM, .protocol = IPPROTO_TCP},
                          {.family = AF_NETLINK, .type = SOCK_RAW, .protocol = NETLINK_ROUTE},
                          raw(253),
                          raw(201)};
    for (const Look& kind : kinds)
        looks.push_back(sockets.look(sockets.make(kind.family, kind.type, kind.protocol), kind));
    return looks;
}

using Value = std::optional<uint64_t>;

void find_ends(Setup& s, const std::vector<Look>& ipv4, const std::vector<Look>& all) {
    s.found.settle("sock.skc_rcv_saddr", places_of<uint32_t>(ipv4, &Look::sock, [](const Look& look) {
                       return Value(look.local->address);
                   }));
    s.found.settle("sock.skc_daddr", places_of<uint32_t>(ipv4, &Look::sock, [](const Look& look) {
                       return Value(look.remote->address);
                   }));
    s.found.settle("sock.skc_num", places_of<uint16_t>(all, &Look::sock, [](const Look& look) {
                       return look.local ? Value(look.local->port) : Value();
                   }));
    s.found.settle("sock.skc_dport", places_of<uint16_t>(all, &Look::sock, [](const Look& look) {
                       return look.remote ? Value(htons(look.remote->port)) : Value();
                   }));
}

void find_kinds(Setup& s, const std::vector<Look>& all) {
    s.found.settle("socket.file", places_of<uint64_t>(all, &Look::socket,
                                                      [](const Look& look) { return Value(look.file); }));
    s.found.settle("socket.type", places_of<uint16_t>(all, &Look::socket, [](const Look& look) {
                       return Value(static_cast<uint64_t>(look.type));
                   }));
    s.found.settle("sock.skc_family", places_of<uint16_t>(all, &Look::sock, [](const Look& look) {
                       return Value(static_cast<uint64_t>(look.family));
                   }));
    s.found.settle("sock.sk_protocol", places_of<uint8_t>(all, &Look::sock, [](const Look& look) {
                       return Value(static_cast<uint64_t>(look.protocol));
                   }));
}

} // namespace

void discover_sockets(Setup& s) {
    Sockets sockets(s);
    sockets.find_network();
    {
        const End ends[] = {end("127.77.21.22", 30301), end("127.77.23.24", 30302),
                            end("127.77.25.26", 30303), end("127.77.27.28", 30304)};
        Look looks[2];
        for (int i = 0; i < 2; i++) {
            const int fd = sockets.make(AF_INET, SOCK_DGRAM, 0);
            sockets.bind(fd, AF_INET, ends[2 * i]);
            sockets.connect(fd, AF_INET, ends[2 * i + 1]);
            looks[i] = sockets.look(fd, {.family = AF_INET,
                                         .type = SOCK_DGRAM,
                                         .protocol = IPPROTO_UDP,
                                         .local = ends[2 * i],
                                         .remote = ends[2 * i + 1]});
        }
        find_way(s, looks[0], looks[1]);
    }
    const std::vector<Look> ipv4 = look_at_ipv4(sockets);
    std::vector<Look> all = ipv4;
    if (sockets.can_make(AF_INET6)) {
        const std::vector<Look> ipv6 = look_at_ipv6(sockets);
        s.found.settle("sock.skc_v6_rcv_saddr", places_of6(ipv6, &Look::local6));
        s.found.settle("sock.skc_v6_daddr", places_of6(ipv6, &Look::remote6));
        all.insert(all.end(), ipv6.begin(), ipv6.end());
    } else {
        s.found.absent("sock.skc_v6_rcv_saddr");
        s.found.absent("sock.skc_v6_daddr");
    }
    const std::vector<Look> others = look_at_others(sockets);
    all.insert(all.end(), others.begin(), others.end());
    find_ends(s, ipv4, all);
    find_kinds(s, all);
}

} // namespace ebpf_loader::discovery
