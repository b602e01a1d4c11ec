// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/event/event.hpp"
#include "telemetry/output/json/line.hpp"
#include "telemetry/output/network/address.hpp"

namespace telemetry {

/// The object `linux.socket`: what `source` and `destination` cannot say.
void put_json_socket(JsonLine& line, const Event& event, const Ends& ends);

} // namespace telemetry
