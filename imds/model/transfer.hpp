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
    closed, ///< nothing more will come of this socket; no bytes, and `ends` may be empty
};

/// What one system call moved over a connection to a metadata endpoint, without the bytes: all of
/// it is owned, so that it can wait.
///
/// What the capture owes: every byte that moved belongs to one transfer, also where its content
/// was not captured. Bytes that were only looked at (MSG_PEEK) make no transfer, nor does a call
/// that moved no byte, except one that received 0 bytes: the peer has ended its stream. Segments
/// of one socket may come out of order by as much as records of different CPUs do: `time_ns` puts
/// them in order again.
struct TransferHead {
    uint64_t time_ns = 0; ///< wall clock, ns since the epoch, when the call ended

    uint32_t pid = 0; ///< the caller: process (tgid)
    uint32_t tid = 0;
    uint64_t start_time_ns = 0; ///< of the process, ns since boot

    /// Of the kernel's socket, not of a descriptor: the same through dup, fork, SCM_RIGHTS and
    /// threads. Never 0. May be used again after `closed` was reported.
    uint64_t socket = 0;
    uint32_t netns = 0; ///< inode number of the socket's network namespace; 0: not known
    SocketInfo ends;    ///< remote is the endpoint; an IPv4-mapped address may stay as it is

    Direction direction = Direction::connected;
    /// Of `connected`: by no system call, but by io_uring. What goes over it the same way is not
    /// seen, and makes no transfer.
    bool is_io_uring = false;
    uint64_t length = 0; ///< bytes that the call really moved
};

/// With what is borrowed from the event and its record: valid until the next event.
struct Transfer : TransferHead {
    /// The caller in full: credentials, image, comm, cwd, and what is missing of them. Null when
    /// it is not known, as for traffic that the kernel's threads moved.
    const Event* process = nullptr;
    /// The first of the bytes, captured. What is missing at the end is a gap of
    /// length - bytes.size(): sendfile, splice, io_uring, a page that was not resident, a limit.
    std::span<const std::byte> bytes;
};

} // namespace telemetry::imds
