// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "imds/exchange.hpp"
#include "imds/imds_event.hpp"

namespace telemetry::imds {

/// Makes events of what was exchanged: the one place where bytes off the wire are read and
/// the allow-list is applied.
class Redactor {
  public:
    /// `known`: what the endpoint proved to be before. `is_proved` tells whether it did now.
    static ImdsEvent event_of(const Link& link, Exchange&& exchange, Provider known, bool& is_proved);
    static ImdsEvent event_of(const Link& link, Contact&& contact, Provider known);

  private:
    static void put_request(ImdsEvent& event, Message& request);
    static void put_response(ImdsEvent& event, Message& response);
    static void put_target(ImdsEvent& event, const Head& head);
    static void put_fields(ImdsEvent& event, std::string_view body);
};

} // namespace telemetry::imds
