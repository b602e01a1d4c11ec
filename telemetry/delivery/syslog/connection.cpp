// SPDX-License-Identifier: MIT
#include "telemetry/delivery/syslog/connection.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "telemetry/names/names.hpp"

namespace telemetry {

namespace {

using Clock = std::chrono::steady_clock;
using ebpf_loader::UniqueFd;
using Transport = SyslogServer::Transport;

constexpr std::string_view too_slow = "the server did not take it in time";
constexpr std::string_view closed = "the server has closed the connection";

std::string at(const SyslogServer& server, int error_number) {
    return server.host + (server.port.empty() ? "" : ":" + server.port) + ": " + std::strerror(error_number);
}

/// Messages to a socket that keeps them apart, or a stream.
class PlainConnection final : public SyslogConnection {
  public:
    PlainConnection(UniqueFd fd, bool is_stream) : fd_(std::move(fd)), is_stream_(is_stream) {}
    ~PlainConnection() override {
        if (is_stream_)
            close_gently(fd_.get());
    }
    std::string write(std::string_view bytes, const Sender::Deadline& deadline) override {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent >= 0)
                bytes.remove_prefix(static_cast<size_t>(sent));
            else if (errno != EAGAIN && errno != EINTR)
                return std::strerror(errno);
            else if (std::string error = wait_for_room(fd_.get(), deadline); !error.empty())
                return error;
        }
        return {};
    }
    std::string settle(const Sender::Deadline& deadline) override {
        if (!is_stream_)
            return {};
        if (std::string error = wait_until_acknowledged(fd_.get(), deadline); !error.empty())
            return error;
        char answer[256]; // servers have nothing to say but that they are gone
        const ssize_t size = recv(fd_.get(), answer, sizeof(answer), MSG_DONTWAIT);
        if (size == 0)
            return std::string(closed);
        return size < 0 && errno != EAGAIN && errno != EINTR ? std::strerror(errno) : "";
    }

  private:
    const UniqueFd fd_;
    const bool is_stream_;
};

UniqueFd local_socket(const SyslogServer& server, std::string& error) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, server.host.data(),
                std::min(server.host.size(), sizeof(address.sun_path) - 1));
    UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
        return fd;
    error = at(server, errno);
    return {};
}

/// Looks for `pause`, which is less than a second. A server that has closed its side takes no more, and where
/// its window was full its kernel is asked only seconds later whether anybody is there.
bool closes_within(int fd, std::chrono::microseconds pause) {
    pollfd descriptor = {fd, POLLRDHUP, 0};
    const timespec time = {0, std::chrono::nanoseconds(pause).count()};
    return ppoll(&descriptor, 1, &time, nullptr) > 0;
}

bool is_connected(int fd, const SocketAddress& to, const Sender::Deadline& deadline) {
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to.address), to.size) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    if (!wait_for(fd, POLLOUT, deadline)) {
        errno = ETIMEDOUT;
        return false;
    }
    int code = 0;
    socklen_t size = sizeof(code);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    errno = code;
    return code == 0;
}

} // namespace

bool wait_for(int fd, short events, const Sender::Deadline& deadline) {
    constexpr int look_at_the_deadline_ms = 50;
    pollfd descriptor = {fd, events, 0};
    while (Clock::now() < deadline())
        if (poll(&descriptor, 1, look_at_the_deadline_ms) > 0)
            return true;
    return false;
}

std::string wait_for_room(int fd, const Sender::Deadline& deadline) {
    if (!wait_for(fd, POLLOUT | POLLRDHUP, deadline))
        return std::string(too_slow);
    return closes_within(fd, {}) ? std::string(closed) : "";
}

std::string wait_until_acknowledged(int fd, const Sender::Deadline& deadline) {
    constexpr std::chrono::milliseconds longest{50};
    for (std::chrono::microseconds pause{50};;
         pause = std::min<std::chrono::microseconds>(2 * pause, longest)) {
        int waiting = 0, code = 0;
        socklen_t size = sizeof(code);
        if (ioctl(fd, SIOCOUTQ, &waiting) != 0)
            return std::strerror(errno);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        if (code != 0)
            return std::strerror(code);
        if (waiting == 0)
            return {};
        if (Clock::now() >= deadline())
            return std::string(too_slow);
        if (closes_within(fd, pause))
            return std::string(closed);
    }
}

void close_gently(int fd) {
    constexpr std::chrono::milliseconds patience{100};
    const auto end = Clock::now() + patience;
    shutdown(fd, SHUT_WR);
    char rest[4096];
    while (wait_for(fd, POLLIN, [end] { return end; }))
        if (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
            return;
}

UniqueFd connected_socket(const SyslogServer& server, const Sender::Deadline& deadline, std::string& error) {
    if (server.transport == Transport::local)
        return local_socket(server, error);
    const int type = server.transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
    const auto port = static_cast<uint16_t>(std::atoi(server.port.c_str()));
    for (const SocketAddress& to : resolve(server.host, port, deadline, error)) {
        UniqueFd fd(socket(to.address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (fd && is_connected(fd.get(), to, deadline)) {
            error.clear();
            return fd;
        }
        error = at(server, errno);
    }
    return {};
}

SyslogConnector make_syslog_connector(const SyslogServer& server) {
    if (server.transport == Transport::tls)
        return make_tls_connector(server);
    return
        [server](const Sender::Deadline& deadline, std::string& error) -> std::unique_ptr<SyslogConnection> {
            UniqueFd fd = connected_socket(server, deadline, error);
            if (!fd)
                return nullptr;
            return std::make_unique<PlainConnection>(std::move(fd), server.transport == Transport::tcp);
        };
}

} // namespace telemetry
