// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

#include "telemetry/delivery/sender.hpp"

namespace telemetry {

struct SyslogServer {
    enum class Transport : uint8_t { local, udp, tcp, tls };
    Transport transport = Transport::local;
    std::string host; ///< or the socket's path
    std::string port;
    std::string name;                         ///< that the certificate has to be for
    std::string ca_file, cert_file, key_file; ///< empty: what this host trusts; none
};

/// Non-blocking, and connected. Used by one thread. Functions that fail return why; empty: all is well.
class SyslogConnection {
  public:
    virtual ~SyslogConnection() = default;
    /// All of the bytes: of datagrams one message.
    virtual std::string write(std::string_view bytes, const Sender::Deadline& deadline) = 0;
    /// Waits until the far end's kernel has acknowledged all that was written, and sees whether the far end
    /// is still there. Datagrams are not acknowledged.
    virtual std::string settle(const Sender::Deadline& /*deadline*/) { return {}; }
};

/// Throws ebpf_loader::Error(usage) for certificates that cannot be used. The function connects; without a
/// connection, `error` says why.
using SyslogConnector =
    std::function<std::unique_ptr<SyslogConnection>(const Sender::Deadline& deadline, std::string& error)>;
SyslogConnector make_syslog_connector(const SyslogServer& server);
SyslogConnector make_tls_connector(const SyslogServer& server);

/// Waits for `events` of poll(2). False when the deadline came first.
bool wait_for(int fd, short events, const Sender::Deadline& deadline);
/// Until a stream takes more. Returns why it will not; empty: it does.
std::string wait_for_room(int fd, const Sender::Deadline& deadline);
/// As settle() has it, of a TCP socket.
std::string wait_until_acknowledged(int fd, const Sender::Deadline& deadline);
/// The far end reads what it has before it sees that the connection was closed: bytes that nobody has read
/// here would have the kernel reset it.
void close_gently(int fd);
/// None: `error` says why.
ebpf_loader::UniqueFd connected_socket(const SyslogServer& server, const Sender::Deadline& deadline,
                                       std::string& error);

} // namespace telemetry
