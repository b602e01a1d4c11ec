// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "imds/judge/event.hpp"
#include "imds/judge/scrubber.hpp"
#include "imds/model/exchange.hpp"

namespace telemetry::imds {

/// Makes events of exchanges: only here are bytes off the wire read, and is the allow-list applied.
class Redactor {
  public:
    /// Without `scrubs`, command lines are left as they are: for --unsafe.
    explicit Redactor(bool scrubs) : scrubs_(scrubs) {}

    /// `known`: what the endpoint proved to be before. `is_proved`: this exchange proves the provider.
    ImdsEvent event_of(const Connection& connection, Exchange&& exchange, Provider known, bool& is_proved);
    ImdsEvent event_of(const Connection& connection, ConnectionReport&& report, Provider known);

  private:
    void put_request(ImdsEvent& event, Message& request);
    void put_response(ImdsEvent& event, Message& response);
    void put_target(ImdsEvent& event, const Head& head);
    void put_fields(ImdsEvent& event, std::string_view body);
    void learn(const ImdsEvent& event, const Exchange& exchange);
    void put_processes(ImdsEvent& event) const;
    PublicText public_text(std::string_view text) const;

    const bool scrubs_;
    Scrubber scrubber_;
};

} // namespace telemetry::imds
