// SPDX-License-Identifier: LGPL-2.1
// Sockets in network namespaces of our own, whose numbers /proc has. The first namespace is
// part of the kernel's image, and so none of them.
#include "loader/src/discovery/steps.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr size_t socket_bytes = 512;
constexpr size_t sock_bytes = 512; ///< struct sock_common is at its start
constexpr size_t net_bytes = 1024;

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
        const uint64_t socket = s.memory.read_pointer(s.file(helper, fd) + s.found["file.private_data"]);
        const Block block = s.memory.read(socket, socket_bytes);
        sock = s.memory.read(block.at<uint64_t>(s.found["socket.sk"]), sock_bytes);
    }
    return network;
}

/// sock.skc_net and net.inum.
struct Way {
    uint32_t net, inum;
};

std::vector<Way> find_ways(Setup& s, const Network& a, const Network& b) {
    std::vector<Way> found;
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

} // namespace

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
    const auto ways = find_ways(s, look(s, first), look(s, second));
    s.found.settle("sock.skc_net", column(ways, &Way::net));
    s.found.settle("net.inum", column(ways, &Way::inum));
}

} // namespace ebpf_loader::discovery
