// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/helper/channel.hpp"

namespace telemetry::imds {

/// What the helper process for HTTP runs: it parses the bytes of connections that the program sends over the
/// channel, and answers there, until the channel is closed. The program itself parses none of them.
void serve_http(Channel& channel);

} // namespace telemetry::imds
