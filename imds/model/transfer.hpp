// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "telemetry/event/event.hpp"

namespace telemetry::imds {

/// What a call did to a connection.
enum class Direction : uint8_t {
    connected, ///< a connection to an endpoint was opened; no bytes
    sent,
    received,
    closed, ///< the connection has ended; no bytes, and `ends` may be empty
};

/// What one system call moved over a connection to a metadata service, without the bytes. It refers to no
/// other memory, so that it can wait in a queue.
///
/// The kernel side guarantees that every byte that was moved belongs to exactly one transfer, even if its
/// content was not captured. Bytes that were only peeked at (MSG_PEEK) are in no transfer. A call that moved
/// no byte makes no transfer either, except one that received 0 bytes, by which the peer has ended its
/// direction. Transfers of one socket may arrive out of order, as records of different CPUs do; `time_ns`
/// gives their order.
struct TransferHead {
    uint64_t time_ns = 0; ///< wall clock, ns since the epoch, when the call ended

    uint32_t pid = 0; ///< the caller: process (tgid)
    uint32_t tid = 0;
    uint64_t start_time_ns = 0; ///< of the process, ns since boot

    /// Identifies the kernel's socket, not a descriptor: it stays the same through dup, fork and SCM_RIGHTS.
    /// Never 0. The kernel may use it for another connection after this one was closed.
    uint64_t socket = 0;
    uint32_t netns = 0; ///< inode number of the socket's network namespace; 0: unknown
    SocketInfo ends;    ///< the remote end is the endpoint; may be an IPv4-mapped address

    Direction direction = Direction::connected;
    /// Only with `connected`: io_uring opened the connection, not a system call. What io_uring moves over it
    /// is not seen.
    bool is_io_uring = false;
    uint64_t length = 0; ///< bytes that the call moved
};

/// A transfer with views into the event and its record, which are valid until the next event.
struct Transfer : TransferHead {
    /// The event with everything about the caller: credentials, image, comm, cwd. Null if it is unknown, as
    /// for bytes that kernel threads moved.
    const Event* process = nullptr;
    /// The first bytes, as captured. The other length - bytes.size() are a gap: moved by sendfile or splice,
    /// on a page that was not resident, or beyond the limit.
    std::span<const std::byte> bytes;
};

} // namespace telemetry::imds
