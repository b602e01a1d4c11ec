// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// What one end of a channel has sent at once.
struct Packet {
    std::string bytes;
    ebpf_loader::UniqueFd file; ///< that came with it, if one did
};

/// One end of a socket between this program and a helper. What comes from a helper is not trusted: it may be
/// anything, but not longer than a packet may be.
class Channel {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Outcome { packet, ended, late, too_long };

    explicit Channel(ebpf_loader::UniqueFd socket) : socket_(std::move(socket)) {}

    /// False: the other end has ended, or has not read what was sent before.
    bool send(std::string_view bytes, int file = -1);
    /// Waits until the other end has read enough. False: it has ended.
    bool send_waiting(std::string_view bytes);
    /// Waits until the deadline; max() waits without end.
    Outcome receive(Packet& packet, Clock::time_point deadline);
    int socket() const { return socket_.get(); }

    static constexpr size_t longest = 128 * 1024;

  private:
    ebpf_loader::UniqueFd socket_;
    std::string buffer_;
};

} // namespace telemetry
