// SPDX-License-Identifier: LGPL-2.1
// Sockets in network namespaces of our own, whose numbers /proc has: the first namespace is
// part of the kernel's image, and so none of them. And Unix sockets with names that we give them.
#include "loader/src/discovery/steps.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t sock_common_bytes = 512; ///< struct sock_common is at its start
constexpr size_t net_bytes = 1024;
constexpr size_t unix_sock_bytes = 2048; ///< struct sock is at its start
constexpr size_t unix_address_bytes = 256;

/// A namespace's number: of "net:[4026531840]".
uint32_t own_namespace(HelperProcess& helper) {
    constexpr size_t longest = 64;
    auto* name = static_cast<char*>(helper.room(longest));
    const auto length =
        static_cast<size_t>(helper.must("reading /proc/self/ns/net", SYS_readlinkat, as_argument(AT_FDCWD),
                                        helper.text("/proc/self/ns/net"), as_argument(name), longest - 1));
    const std::string_view text(name, length);
    const size_t bracket = text.find('[');
    uint32_t number = 0;
    if (bracket == text.npos ||
        std::from_chars(text.data() + bracket + 1, text.data() + text.size(), number).ec != std::errc{})
        throw Unobservable("/proc/self/ns/net does not contain a namespace number");
    return number;
}

/// What a descriptor's struct sock has.
Block sock_of(Setup& s, HelperProcess& helper, int fd, size_t length) {
    const uint64_t socket = s.memory.read_pointer(s.file(helper, fd) + s.found["file.private_data"]);
    const Block block = s.memory.read(socket, socket_bytes);
    return s.memory.read(block.at<uint64_t>(s.found["socket.sk"]), length);
}

/// A network namespace and what two sockets in it look like.
struct Network {
    uint32_t number;
    Block socks[2];
};

Network look(Setup& s, HelperProcess& helper) {
    Network network{.number = own_namespace(helper), .socks = {}};
    for (Block& sock : network.socks) {
        const auto fd = static_cast<int>(
            helper.must("making a socket", SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sock = sock_of(s, helper, fd, sock_common_bytes);
    }
    return network;
}

/// sock.skc_net and net.inum.
struct NetWay {
    uint32_t net, inum;
};

std::vector<NetWay> find_net_ways(Setup& s, const Network& a, const Network& b) {
    std::vector<NetWay> found;
    for (uint32_t at : places_if({&a.socks[0], &a.socks[1], &b.socks[0], &b.socks[1]}, 8, [&](size_t offset) {
             const auto in_a = a.socks[0].at<uint64_t>(offset), in_b = b.socks[0].at<uint64_t>(offset);
             return is_heap_pointer(in_a) && is_heap_pointer(in_b) && in_a != in_b &&
                    a.socks[1].at<uint64_t>(offset) == in_a && b.socks[1].at<uint64_t>(offset) == in_b;
         })) {
        const Block first = s.memory.read(a.socks[0].at<uint64_t>(at), net_bytes);
        const Block second = s.memory.read(b.socks[0].at<uint64_t>(at), net_bytes);
        for (uint32_t inum : places<uint32_t>({{&first, a.number}, {&second, b.number}}))
            found.push_back({at, inum});
    }
    return found;
}

constexpr const char* unix_rows[] = {"unix_sock.addr", "unix_address.len", "unix_address.name"};

/// A Unix socket and its struct sockaddr_un.
struct NamedSocket {
    Block sock;
    std::string name;
};

NamedSocket make_named(Setup& s, HelperProcess& helper, const std::string& abstract_name) {
    const int fd = static_cast<int>(
        helper.must("making a Unix socket", SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    auto* address = static_cast<sockaddr_un*>(helper.room(sizeof(sockaddr_un)));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, abstract_name.data(), abstract_name.size());
    const size_t length = offsetof(sockaddr_un, sun_path) + 1 + abstract_name.size();
    NamedSocket made{.sock = {}, .name = {reinterpret_cast<const char*>(address), length}};
    helper.must("giving a Unix socket a name (bind)", SYS_bind, as_argument(fd), as_argument(address),
                length);
    made.sock = sock_of(s, helper, fd, unix_sock_bytes);
    return made;
}

/// unix_sock.addr, unix_address.len and unix_address.name.
struct NameWay {
    uint32_t addr, len, name;
};

/// Through one pointer of the sockets.
void add_name_ways(Setup& s, const std::vector<NamedSocket>& sockets, uint32_t addr,
                   std::vector<NameWay>& found) {
    std::vector<Block> addresses;
    for (const NamedSocket& socket : sockets)
        addresses.push_back(s.memory.read(socket.sock.at<uint64_t>(addr), unix_address_bytes));
    std::vector<const Block*> blocks;
    std::vector<Observation> lengths;
    for (size_t i = 0; i < sockets.size(); ++i) {
        blocks.push_back(&addresses[i]);
        lengths.push_back({&addresses[i], sockets[i].name.size()});
    }
    for (uint32_t name : places_if(blocks, sizeof(uint32_t), [&](size_t offset) {
             for (size_t i = 0; i < sockets.size(); ++i) {
                 const std::string& bytes = sockets[i].name;
                 if (!blocks[i]->has(offset, bytes.size()) ||
                     memcmp(blocks[i]->bytes.data() + offset, bytes.data(), bytes.size()) != 0)
                     return false;
             }
             return true;
         }))
        for (uint32_t len : places<uint32_t>(lengths))
            found.push_back({addr, len, name});
}

std::vector<NameWay> find_name_ways(Setup& s, const Block& unnamed, const std::vector<NamedSocket>& sockets) {
    std::vector<const Block*> socks = {&unnamed};
    for (const NamedSocket& socket : sockets)
        socks.push_back(&socket.sock);
    std::vector<NameWay> found;
    for (uint32_t addr : places_if(socks, sizeof(uint64_t), [&](size_t offset) {
             return unnamed.at<uint64_t>(offset) == 0 &&
                    std::all_of(sockets.begin(), sockets.end(), [&](const NamedSocket& socket) {
                        return is_heap_pointer(socket.sock.at<uint64_t>(offset));
                    });
         }))
        add_name_ways(s, sockets, addr, found);
    return found;
}

} // namespace

void discover_unix_names(Setup& s) {
    HelperProcess& helper = s.helpers.spawn();
    const int64_t fd = helper.call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -EAFNOSUPPORT) {
        for (const char* row : unix_rows)
            s.found.absent(row);
        return;
    }
    if (fd < 0)
        throw Unobservable(std::string("making a Unix socket failed: ") + strerror(static_cast<int>(-fd)));
    const Block unnamed = sock_of(s, helper, static_cast<int>(fd), unix_sock_bytes);
    const std::string name = "ebpf_telemetry " + std::to_string(helper.tgid());
    std::vector<NamedSocket> sockets;
    for (const char* rest : {"", " is the second", " has a name that is longer than that of the others"})
        sockets.push_back(make_named(s, helper, name + rest));
    const auto ways = find_name_ways(s, unnamed, sockets);
    s.found.settle("unix_sock.addr", column(ways, &NameWay::addr));
    s.found.settle("unix_address.len", column(ways, &NameWay::len));
    s.found.settle("unix_address.name", column(ways, &NameWay::name));
}

void discover_network(Setup& s) {
    HelperProcess& first = s.helpers.spawn();
    HelperProcess& second = s.helpers.spawn();
    if (first.call(SYS_unshare, CLONE_NEWNET) == -EINVAL) { // the kernel has no such namespaces
        s.found.absent("sock.skc_net");
        s.found.absent("net.inum");
        return;
    }
    first.must("creating a network namespace (unshare)", SYS_unshare, CLONE_NEWNET);
    second.must("creating a network namespace (unshare)", SYS_unshare, CLONE_NEWNET);
    const auto ways = find_net_ways(s, look(s, first), look(s, second));
    s.found.settle("sock.skc_net", column(ways, &NetWay::net));
    s.found.settle("net.inum", column(ways, &NetWay::inum));
}

} // namespace ebpf_loader::discovery
