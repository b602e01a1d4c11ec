// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "telemetry/helper/packets.hpp"
#include "telemetry/names/lookup.hpp"

namespace telemetry {
namespace {

/// Keys may be in it. And a server that is away is not waited for as long as usual: two tries of a second.
void replace_environment() {
    for (char** entry = environ; entry && *entry; ++entry)
        explicit_bzero(*entry, strlen(*entry));
    clearenv();
    setenv("RES_OPTIONS", "timeout:1 attempts:2", 1);
}

} // namespace

void add_address(const sockaddr& found, name_messages::Answer& answer) {
    const bool is_v4 = found.sa_family == AF_INET;
    if (answer.count == name_messages::most_addresses || (!is_v4 && found.sa_family != AF_INET6))
        return;
    name_messages::Address& address = answer.addresses[answer.count++];
    if (is_v4) {
        sockaddr_in v4;
        memcpy(&v4, &found, sizeof(v4));
        address.family = 4;
        memcpy(address.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
        return;
    }
    sockaddr_in6 v6;
    memcpy(&v6, &found, sizeof(v6));
    address.family = 6;
    address.scope = v6.sin6_scope_id;
    memcpy(address.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
}

void serve_names(Channel& channel) {
    replace_environment();
    for (Packet packet;
         channel.receive(packet, Channel::Clock::time_point::max()) == Channel::Outcome::packet;) {
        std::string_view bytes = packet.bytes;
        auto question = packets::take<name_messages::Question>(bytes);
        if (!question)
            return;
        question->host[name_messages::longest_host] = '\0';
        if (!channel.send_waiting(packets::bytes_of(look_up(question->host))))
            return;
    }
}

} // namespace telemetry
