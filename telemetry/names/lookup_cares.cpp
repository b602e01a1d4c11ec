// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ares.h>
#include <poll.h>

#include "telemetry/names/lookup.hpp"

namespace telemetry {
namespace {

using namespace name_messages;

Outcome outcome_of(int status) {
    switch (status) {
    case ARES_SUCCESS:
        return found;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
        return unknown;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
        return no_answer;
    default:
        return failed;
    }
}

struct Asked {
    Answer answer;
    bool is_done = false;
};

void take(void* self, int status, int, ares_addrinfo* result) {
    Asked& asked = *static_cast<Asked*>(self);
    asked.is_done = true;
    asked.answer.outcome = outcome_of(status);
    if (status != ARES_SUCCESS)
        return;
    for (const ares_addrinfo_node* node = result->nodes; node; node = node->ai_next)
        add_address(*node->ai_addr, asked.answer);
    ares_freeaddrinfo(result);
}

/// Until it has called back: who asked has a deadline.
void run(ares_channel channel, const Asked& asked) {
    while (!asked.is_done) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        const int wanted = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
        pollfd events[ARES_GETSOCK_MAXNUM];
        nfds_t count = 0;
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
            const short read = ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0;
            const short write = ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0;
            if (read || write)
                events[count++] = {sockets[i], static_cast<short>(read | write), 0};
        }
        constexpr timeval longest = {1, 0};
        timeval most = longest, room;
        const timeval* const wait = ares_timeout(channel, &most, &room);
        poll(events, count, static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
        for (nfds_t i = 0; i < count; ++i)
            ares_process_fd(channel, events[i].revents & ~POLLOUT ? events[i].fd : ARES_SOCKET_BAD,
                            events[i].revents & POLLOUT ? events[i].fd : ARES_SOCKET_BAD);
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // what is late
    }
}

} // namespace

bool can_look_up() {
    return true;
}

Answer look_up(const char* host) {
    ares_options options{};
    options.timeout = 700; // ms of the first try, then twice that
    options.tries = 2;
    ares_channel channel = nullptr;
    Asked asked;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
        ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
        return asked.answer;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel, host, nullptr, &hints, take, &asked);
    run(channel, asked);
    ares_destroy(channel);
    return asked.answer;
}

} // namespace telemetry
