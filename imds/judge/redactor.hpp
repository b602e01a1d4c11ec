// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "imds/judge/imds_event.hpp"
#include "imds/judge/scrubber.hpp"
#include "imds/model/exchange.hpp"

namespace telemetry::imds {

/// Makes events of what was exchanged: the one place where bytes off the wire are read and
/// the allow-list is applied.
class Redactor {
  public:
    /// Without `scrubs`, command lines are left as they are: for --unsafe.
    explicit Redactor(bool scrubs) : scrubs_(scrubs) {}

    /// `known`: what the endpoint proved to be before. `is_proved` tells whether it did now.
    ImdsEvent event_of(const Link& link, Exchange&& exchange, Provider known, bool& is_proved);
    ImdsEvent event_of(const Link& link, Contact&& contact, Provider known);

  private:
    void put_request(ImdsEvent& event, Message& request);
    void put_response(ImdsEvent& event, Message& response);
    void put_target(ImdsEvent& event, const Head& head);
    void put_fields(ImdsEvent& event, std::string_view body);
    void learn(const ImdsEvent& event, const Exchange& exchange);
    void put_processes(ImdsEvent& event) const;
    Shown shown(std::string_view text) const;

    const bool scrubs_;
    Scrubber scrubber_;
};

} // namespace telemetry::imds
