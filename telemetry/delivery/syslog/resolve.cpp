// SPDX-License-Identifier: MIT
#include "telemetry/delivery/syslog/resolve.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <netdb.h>
#include <thread>

namespace telemetry {

namespace {

struct Resolved {
    std::vector<SocketAddress> addresses;
    std::string error;
};

Resolved look_up(const std::string& host, uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    Resolved resolved;
    if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list); code != 0) {
        resolved.error = host + ": " + gai_strerror(code);
        return resolved;
    }
    for (const addrinfo* info = list; info; info = info->ai_next) {
        SocketAddress found{};
        found.size = info->ai_addrlen;
        std::memcpy(&found.address, info->ai_addr, std::min<size_t>(info->ai_addrlen, sizeof(found.address)));
        resolved.addresses.push_back(found);
    }
    freeaddrinfo(list);
    return resolved;
}

} // namespace

bool can_resolve_names() {
    return true;
}

std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Sender::Deadline& deadline,
                                   std::string& error) {
    if (auto found = numeric_address(host, port); !found.empty())
        return found;
    // getaddrinfo() has no deadline; a thread that waits for a name server is left to itself.
    auto promise = std::make_shared<std::promise<Resolved>>();
    std::future<Resolved> result = promise->get_future();
    std::thread([promise, host, port] { promise->set_value(look_up(host, port)); }).detach();
    constexpr std::chrono::milliseconds look_at_the_deadline{50};
    while (result.wait_for(look_at_the_deadline) != std::future_status::ready)
        if (std::chrono::steady_clock::now() >= deadline()) {
            error = host + ": its name server does not answer";
            return {};
        }
    Resolved resolved = result.get();
    error = resolved.error;
    return resolved.addresses;
}

} // namespace telemetry
