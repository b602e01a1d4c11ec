// SPDX-License-Identifier: MIT
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>

#include "telemetry/names/lookup.hpp"

namespace telemetry {
namespace {

using namespace name_messages;

Outcome outcome_of(int code) {
    switch (code) {
    case 0:
        return found;
    case EAI_NONAME:
    case EAI_NODATA:
        return unknown;
    case EAI_AGAIN:
        return no_answer;
    default:
        return failed;
    }
}

void put(const addrinfo& info, Answer& answer) {
    if (answer.count == most_addresses || (info.ai_family != AF_INET && info.ai_family != AF_INET6))
        return;
    Address& address = answer.addresses[answer.count++];
    if (info.ai_family == AF_INET) {
        sockaddr_in v4;
        memcpy(&v4, info.ai_addr, sizeof(v4));
        address.family = 4;
        memcpy(address.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
        return;
    }
    sockaddr_in6 v6;
    memcpy(&v6, info.ai_addr, sizeof(v6));
    address.family = 6;
    address.scope = v6.sin6_scope_id;
    memcpy(address.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
}

} // namespace

bool can_look_up() {
    return true;
}

Answer look_up(const char* host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM; // else each address comes once for each type
    addrinfo* list = nullptr;
    Answer answer;
    answer.outcome = outcome_of(getaddrinfo(host, nullptr, &hints, &list));
    if (answer.outcome != found)
        return answer;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
    for (const addrinfo* info = list; info; info = info->ai_next)
        put(*info, answer);
    return answer;
}

} // namespace telemetry
