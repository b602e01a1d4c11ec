// SPDX-License-Identifier: MIT
#include "telemetry/health/listener.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/refuse.hpp"

namespace telemetry {

namespace {

using ebpf_loader::UniqueFd;

constexpr std::string_view v4 = "127.0.0.1:", v6 = "[::1]:";

struct SocketAddress {
    sockaddr_storage bytes{};
    socklen_t length = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

template <typename Address> SocketAddress as_socket_address(const Address& address, size_t length) {
    SocketAddress result;
    std::memcpy(&result.bytes, &address, sizeof(address));
    result.length = static_cast<socklen_t>(length);
    return result;
}

SocketAddress socket_address(const ListenAddress& address) {
    if (!address.path.empty()) {
        sockaddr_un unix_address{};
        unix_address.sun_family = AF_UNIX;
        std::memcpy(unix_address.sun_path, address.path.data(), address.path.size());
        return as_socket_address(unix_address, offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
    }
    if (address.is_v6) {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(address.port);
        six.sin6_addr = in6addr_loopback;
        return as_socket_address(six, sizeof(six));
    }
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(address.port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return as_socket_address(four, sizeof(four));
}

[[noreturn]] void fail(const ListenAddress& address, const std::string& what) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, "--listen " + address.text() + ": " + what);
}

UniqueFd make_socket(const SocketAddress& address, int flags) {
    return UniqueFd(socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

/// Of a run that was killed.
void remove_left_socket(const ListenAddress& address, const SocketAddress& to) {
    struct stat status {};
    if (lstat(address.path.c_str(), &status) != 0)
        return;
    if (!S_ISSOCK(status.st_mode))
        fail(address, "there is a file that is no socket");
    const UniqueFd probe = make_socket(to, SOCK_NONBLOCK);
    if (connect(probe.get(), to.get(), to.length) == 0 || errno != ECONNREFUSED)
        fail(address, "another program listens there");
    unlink(address.path.c_str());
}

} // namespace

std::string ListenAddress::text() const {
    return path.empty() ? std::string(is_v6 ? v6 : v4) + std::to_string(port) : path;
}

ListenAddress parse_listen_address(const std::string& text) {
    ListenAddress address;
    if (text.starts_with('/')) {
        if (text.size() >= sizeof(sockaddr_un{}.sun_path))
            refuse("--listen: a socket's path has at most " +
                   std::to_string(sizeof(sockaddr_un{}.sun_path) - 1) + " characters");
        address.path = text;
        return address;
    }
    address.is_v6 = text.starts_with(v6);
    const size_t begin = address.is_v6 ? v6.size() : text.starts_with(v4) ? v4.size() : text.size();
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + begin, end, address.port);
    if (error != std::errc{} || rest != end || address.port == 0)
        refuse("--listen takes the path of a Unix socket, 127.0.0.1:PORT or [::1]:PORT, not " +
               in_quotes(text));
    return address;
}

UniqueFd listen_at(const ListenAddress& address) {
    constexpr int backlog = 16, on = 1;
    const SocketAddress to = socket_address(address);
    if (!address.path.empty())
        remove_left_socket(address, to);
    UniqueFd socket = make_socket(to, SOCK_NONBLOCK);
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); // of no meaning to a Unix socket
    const mode_t before = umask(0177);
    const bool is_bound = socket && bind(socket.get(), to.get(), to.length) == 0;
    umask(before);
    if (!is_bound || listen(socket.get(), backlog) != 0)
        fail(address, std::strerror(errno));
    return socket;
}

UniqueFd connect_to(const ListenAddress& address) {
    const SocketAddress to = socket_address(address);
    UniqueFd socket = make_socket(to, 0);
    constexpr timeval patience{5, 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (!socket || connect(socket.get(), to.get(), to.length) != 0)
        fail(address, std::string("no run of this program answers: ") + std::strerror(errno));
    return socket;
}

} // namespace telemetry
