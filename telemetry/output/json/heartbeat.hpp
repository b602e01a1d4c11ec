// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/account/heartbeat.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// The member `balance`, after a comma.
void put_json_balance(JsonLine& line, const Heartbeat& heartbeat);

} // namespace telemetry
