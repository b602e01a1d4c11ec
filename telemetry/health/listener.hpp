// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>

#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {

/// Where a run says how it is: a Unix socket by its path, or a port of this machine alone.
struct ListenAddress {
    std::string path;   ///< empty: it is a port
    bool is_v6 = false; ///< ::1 instead of 127.0.0.1
    uint16_t port = 0;

    std::string text() const;
};

/// "/run/a.sock", "127.0.0.1:9464", "[::1]:9464". Throws ebpf_loader::Error(usage), for other machines'
/// addresses too.
ListenAddress parse_listen_address(const std::string& text);

/// A socket that listens there, and does not block. A Unix socket that nobody listens at any more is
/// replaced; it is for the program's user alone. Throws ebpf_loader::Error(usage).
ebpf_loader::UniqueFd listen_at(const ListenAddress& address);
/// A socket that is connected to it. Throws ebpf_loader::Error(usage).
ebpf_loader::UniqueFd connect_to(const ListenAddress& address);

} // namespace telemetry
