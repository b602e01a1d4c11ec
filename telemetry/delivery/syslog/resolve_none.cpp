// SPDX-License-Identifier: MIT
// In place of resolve.cpp in programs that are linked statically: the C library would load its name services.
#include "telemetry/delivery/syslog/resolve.hpp"

namespace telemetry {

bool can_resolve_names() {
    return false;
}

std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, const Sender::Deadline&,
                                   std::string&) {
    return numeric_address(host, port);
}

} // namespace telemetry
