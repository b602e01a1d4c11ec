// SPDX-License-Identifier: MIT
#include "telemetry/delivery/kafka/resolve.hpp"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <netdb.h>
#include <string>

#include "telemetry/names/names.hpp"

namespace telemetry {
namespace {

/// With its address behind it.
struct Entry {
    addrinfo info;
    sockaddr_storage address;
};

addrinfo* made(const SocketAddress& address, const addrinfo& hints) {
    auto* const entry = static_cast<Entry*>(calloc(1, sizeof(Entry)));
    if (!entry)
        return nullptr;
    entry->address = address.address;
    entry->info.ai_family = address.address.ss_family;
    entry->info.ai_socktype = hints.ai_socktype;
    entry->info.ai_protocol = hints.ai_protocol;
    entry->info.ai_addrlen = address.size;
    entry->info.ai_addr = reinterpret_cast<sockaddr*>(&entry->address);
    return &entry->info;
}

void free_all(addrinfo* list) {
    while (list) {
        addrinfo* const next = list->ai_next;
        free(reinterpret_cast<Entry*>(list));
        list = next;
    }
}

bool is_wanted(const SocketAddress& address, const addrinfo& hints) {
    return hints.ai_family == AF_UNSPEC || hints.ai_family == address.address.ss_family;
}

} // namespace

int resolve_for_kafka(const char* host, const char* port, const addrinfo* hints, addrinfo** result, void*) {
    if (!host && !port && !hints) {
        free_all(*result);
        return 0;
    }
    constexpr addrinfo any{};
    const addrinfo& wanted = hints ? *hints : any;
    std::string error;
    // Others may be asking; the end of the run waits for this thread no longer than a second.
    const auto patience = Names::Clock::now() + 2 * Names::usual.answer;
    addrinfo** end = result;
    *end = nullptr;
    for (const SocketAddress& address : resolve(
             host ? host : "", static_cast<uint16_t>(port ? atoi(port) : 0), [=] { return patience; }, error))
        if (is_wanted(address, wanted) && (*end = made(address, wanted)))
            end = &(*end)->ai_next;
    return *result ? 0 : EAI_AGAIN; // it may be known later
}

} // namespace telemetry
