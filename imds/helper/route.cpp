// SPDX-License-Identifier: MIT
#include "imds/helper/route.hpp"

#include "imds/helper/serve.hpp"

namespace telemetry::imds {

HelperRoute::HelperRoute() : HelperRoute(serve_http, usual) {}

bool HelperRoute::send(std::string_view packet) {
    Channel* const channel = helper_.channel();
    return channel && channel->send(packet);
}

Route::Outcome HelperRoute::receive(Packet& packet, Clock::time_point deadline) {
    Channel* const channel = helper_.channel(deadline);
    return channel ? channel->receive(packet, deadline) : Outcome::late;
}

} // namespace telemetry::imds
