// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "imds/judge/reading.hpp"
#include "imds/model/exchange.hpp"

namespace telemetry::imds {

/// Reads exchanges: this is the only place that reads bytes from the connection and applies the allow-list.
class Redactor {
  public:
    /// `is_unsafe`: readings have all, and no secrets are looked for.
    explicit Redactor(bool is_unsafe) : is_unsafe_(is_unsafe) {}

    /// `known`: the provider that an earlier response of this endpoint named.
    Reading read(ProviderSet candidates, Exchange&& exchange, Provider known);
    static Reading read(ProviderSet candidates, const ConnectionReport& report, Provider known);

  private:
    void put_request(Reading& reading, Message& request);
    void put_response(Reading& reading, Message& response);
    void put_target(Reading& reading, const Head& head);
    void put_secrets(Reading& reading, const Exchange& exchange);
    void put_fields(Reading& reading, std::string_view body);

    const bool is_unsafe_;
    std::optional<std::string> plain_body_; ///< of the response, unpacked; nothing: it cannot be read
};

} // namespace telemetry::imds
