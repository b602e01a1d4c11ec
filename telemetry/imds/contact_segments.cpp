// SPDX-License-Identifier: MIT
#include "imds/contact_segments.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

#include "address.hpp"

namespace telemetry::imds {
namespace {

/// Until a connection stands, the address is the one that the caller asked for.
void take_asked_address(const Event& event, SocketInfo& ends) {
    const Address asked = parse_sockaddr(event.sockaddr.bytes);
    if (ends.remote_port != 0 || !event.sockaddr.known() || !asked.is_ip())
        return;
    ends.family = asked.family;
    ends.remote = asked.ip;
    ends.remote_port = asked.port;
}

} // namespace

bool ContactSegments::make(const Event& event, Segment& segment) {
    const bool is_connect = event.call && event.call->name == "connect";
    const bool connects = is_connect && (event.ret == 0 || event.ret == -EINPROGRESS);
    if (!connects || event.socket_status != Status::ok || event.socket.type != SOCK_STREAM)
        return false;
    segment = Segment();
    segment.time_ns = event.time_ns;
    segment.pid = event.pid;
    segment.tid = event.tid;
    segment.start_time_ns = event.start_time_ns;
    segment.process = &event;
    segment.socket = ++connections_;
    segment.ends = event.socket;
    take_asked_address(event, segment.ends);
    return true;
}

} // namespace telemetry::imds
