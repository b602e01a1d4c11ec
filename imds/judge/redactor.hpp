// SPDX-License-Identifier: MIT
#pragma once
#include <string_view>

#include "imds/judge/event.hpp"
#include "imds/judge/scrubber.hpp"
#include "imds/model/exchange.hpp"

namespace telemetry::imds {

/// Makes ImdsEvents out of exchanges. This is the only place that reads bytes from the connection and applies
/// the allow-list.
class Redactor {
  public:
    /// `scrubs`: remove secrets from command lines; false with --unsafe.
    explicit Redactor(bool scrubs) : scrubs_(scrubs) {}

    /// `known`: the provider that an earlier response of this endpoint named. Sets `is_proved` if this
    /// response names the provider.
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
