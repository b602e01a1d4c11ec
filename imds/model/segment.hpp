// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "telemetry/event/event.hpp"
#include "telemetry/process/facts.hpp"

namespace telemetry::imds {

/// What a call did to a connection.
enum class Direction : uint8_t {
    connected, ///< a connection to an endpoint was seen; no bytes
    sent,
    received,
    closed, ///< nothing more will come of this socket; no bytes, and `ends` may be empty
};

/// What one system call moved over a connection to a metadata endpoint. Views are valid until
/// the next one: whoever keeps a segment copies it.
///
/// What the capture owes: every byte that moved belongs to one segment, also where its content
/// could not be had (then `bytes` is short or empty). Bytes that were only looked at (MSG_PEEK)
/// are no segment, nor is a call that moved none, except a received one of length 0: the peer
/// has ended its stream. Segments of one socket may come out of order by as much as records of
/// different CPUs do: `time_ns`, and `offset` where it is known, put them in order again.
struct Segment {
    uint64_t time_ns = 0; ///< wall clock, ns since the epoch, when the call ended

    uint32_t pid = 0; ///< the caller: process (tgid)
    uint32_t tid = 0;
    uint64_t start_time_ns = 0; ///< of the process, ns since boot
    /// The caller in full: credentials, image, comm, cwd, and what is missing of them. Null when
    /// it is not known, as for traffic that the kernel's threads moved.
    const Event* process = nullptr;
    /// What the kernel tells beyond that: capabilities, namespaces, cgroup. Null: to be read
    /// from /proc, while the process is there.
    const ProcessFacts* facts = nullptr;

    /// Of the kernel's socket, not of a descriptor: the same through dup, fork, SCM_RIGHTS and
    /// threads. Never 0. May be used again once `closed` was told.
    uint64_t socket = 0;
    uint32_t netns = 0; ///< inode number of the socket's network namespace; 0: not known
    SocketInfo ends;    ///< remote is the endpoint; an IPv4-mapped address may stay as it is

    Direction direction = Direction::connected;
    /// Of `connected`: by no system call, but by io_uring. What goes over it the same way is not
    /// seen, and is no segment.
    bool is_aside = false;
    uint64_t length = 0; ///< bytes that the call really moved
    /// The first of them, captured. What is missing at the end is a hole of
    /// length - bytes.size(): sendfile, splice, io_uring, a page that was not resident, a limit.
    std::span<const std::byte> bytes;
    /// How many bytes this socket had moved in this direction before, where the kernel tells.
    /// With it, calls whose records were lost show as holes too.
    std::optional<uint64_t> offset;
};

} // namespace telemetry::imds
