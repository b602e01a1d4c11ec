// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/helper/channel.hpp"

namespace telemetry::imds {

/// The life of the helper for HTTP, until the channel is closed: reads what goes over the connections that it
/// is told of. The program itself does not.
void serve_http(Channel& channel);

} // namespace telemetry::imds
