// SPDX-License-Identifier: MIT
#include <memory>
#include <netdb.h>

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
        add_address(*info->ai_addr, answer);
    return answer;
}

} // namespace telemetry
