// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "imds/judge/event.hpp"
#include "imds/model/secret.hpp"

namespace telemetry::imds {

/// What was read of an exchange or a connection: an ImdsEvent without what is known of processes. Its texts
/// are what the allow-list lets through; that a secret of another exchange is in them is not excluded yet.
struct Reading : ImdsFacts {
    enum Text : uint8_t { method, path, query, host, user_agent, server, content_type, texts_count };
    struct Field {
        uint8_t name = 0; ///< of body_field_names
        Secret value;
    };

    CallerNumber caller = 0; ///< who sent the request, or read a response without one
    CallerNumber reader = 0; ///< who read the response, if that is another one
    std::array<Secret, texts_count> texts;
    std::vector<Field> fields;
    std::vector<Secret> secrets; ///< must not appear anywhere in the output
    bool is_proved = false;      ///< the service named its provider

    Secret target; ///< of the request, unredacted; these only for --unsafe
    Secret request_body;
    Secret response_body;
};

} // namespace telemetry::imds
