// SPDX-License-Identifier: MIT
// What the helper for names runs, and the program itself never.
#pragma once
#include <sys/socket.h>

#include "telemetry/helper/channel.hpp"
#include "telemetry/names/messages.hpp"

namespace telemetry {

/// Asks files and servers. By the C library in programs that are linked with it (lookup_system.cpp), by
/// c-ares in the portable ones (lookup_cares.cpp); in others that are static nobody can (lookup_none.cpp).
name_messages::Answer look_up(const char* host);
bool can_look_up();
/// Adds what was found, if it is an address of IPv4 or IPv6 and the answer has room.
void add_address(const sockaddr& found, name_messages::Answer& answer);

/// Answers questions of the channel until it is closed.
void serve_names(Channel& channel);

} // namespace telemetry
