// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "imds/judge/event.hpp"
#include "imds/judge/scrubber.hpp"
#include "imds/model/exchange.hpp"

namespace telemetry::imds {

/// Makes ImdsEvents out of exchanges. This is the only place that reads bytes from the connection and applies
/// the allow-list.
class Redactor {
  public:
    /// `scrubs`: remove secrets from command lines; false with --unsafe. `machine_netns`: the machine's first
    /// network namespace; 0: not known.
    explicit Redactor(bool scrubs, uint32_t machine_netns = 0) : scrubs_(scrubs), scrubber_(machine_netns) {}

    /// `known`: the provider that an earlier response of this endpoint named. Sets `is_proved` if this
    /// response names the provider.
    ImdsEvent event_of(const Connection& connection, Exchange&& exchange, Provider known, bool& is_proved);
    ImdsEvent event_of(const Connection& connection, ConnectionReport&& report, Provider known);

  private:
    void put_request(ImdsEvent& event, Message& request);
    void put_response(ImdsEvent& event, Message& response);
    void put_target(ImdsEvent& event, const Head& head);
    void put_fields(ImdsEvent& event, std::string_view body);
    void begin(const Connection& connection);
    void learn(const ImdsEvent& event, const Exchange& exchange);
    void put_processes(ImdsEvent& event);
    PublicText public_text(std::string_view text);

    const bool scrubs_;
    Scrubber scrubber_;
    uint32_t netns_ = 0;                    ///< of the event that is made
    std::optional<std::string> plain_body_; ///< of its response, unpacked; nothing: it cannot be read
};

} // namespace telemetry::imds
