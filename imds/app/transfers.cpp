// SPDX-License-Identifier: MIT
#include "imds/app/transfers.hpp"

#include <algorithm>

#include "telemetry/app/engine_setup.hpp"

namespace telemetry::imds {
namespace {

using namespace std::chrono_literals;

constexpr auto between_lists = 1s;
constexpr int share_of_time = 50; ///< listing takes at most 1/50 of the time

/// An IPv4 address becomes ::ffff:a.b.c.d.
ebt_endpoint kernel_endpoint(const ServiceAddress& address) {
    ebt_endpoint endpoint{};
    if (address.is_ipv6) {
        std::copy(address.ip.begin(), address.ip.end(), endpoint.address);
    } else {
        endpoint.address[10] = endpoint.address[11] = 0xff;
        std::copy_n(address.ip.begin(), 4, endpoint.address + 12);
    }
    endpoint.port = address.port;
    return endpoint;
}

Direction direction_of(ebt_direction direction) {
    switch (direction) {
    case EBT_SENT:
        return Direction::sent;
    case EBT_RECEIVED:
        return Direction::received;
    case EBT_CONNECTED:
    case EBT_CONNECTED_ASYNC:
        break;
    }
    return Direction::connected;
}

} // namespace

std::vector<ebt_endpoint> kernel_endpoints(const Endpoints& endpoints) {
    std::vector<ebt_endpoint> all;
    for (const Endpoint& endpoint : endpoints.all())
        all.push_back(kernel_endpoint(endpoint.address));
    return all;
}

bool make_transfer(const Event& event, Transfer& transfer) {
    const bool is_there =
        event.transfer_status != Status::absent && event.transfer_status != Status::unavailable;
    if (event.kind != EBT_TRANSFER || !is_there || event.socket_status != Status::ok ||
        event.transfer.socket == 0)
        return false;
    transfer = Transfer();
    transfer.time_ns = event.time_ns;
    transfer.pid = event.pid;
    transfer.tid = event.tid;
    transfer.start_time_ns = event.start_time_ns;
    transfer.process = &event;
    transfer.socket = event.transfer.socket;
    transfer.netns = event.transfer.netns;
    transfer.ends = event.socket;
    transfer.direction = direction_of(event.transfer.direction);
    transfer.is_io_uring = event.transfer.direction == EBT_CONNECTED_ASYNC;
    transfer.length = event.transfer.length;
    transfer.bytes = std::as_bytes(std::span(event.transfer.bytes));
    return true;
}

void CaptureGate::tick() {
    const auto now = Clock::now();
    if (now < next_)
        return;
    next_ = now + between_lists;
    const uint64_t connects =
        engine_.endpoint_connects(); // read before the list: see Engine::pause_transfers()
    if (connects == closed_at_ && !tracker_.has_connections())
        return;
    const uint64_t began_ns = wall_clock_ns();
    const OpenConnections open = OpenConnections::list(proc_root_, tracker_.endpoints());
    if (!open.is_unknown())
        tracker_.take(open, began_ns, wall_clock_ns());
    if (!open.is_unknown() && open.empty() && connects != closed_at_) {
        engine_.pause_transfers(connects);
        closed_at_ = connects;
    }
    next_ = std::max(next_, now + share_of_time * (Clock::now() - now));
}

} // namespace telemetry::imds
