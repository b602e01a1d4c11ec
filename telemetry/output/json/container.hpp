// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/container.hpp"

namespace telemetry {

// The objects `container`, and `orchestrator` and `kubernetes`, each with a comma before it; nothing for a
// process that is in no container, or in none of a pod.
void put_json_container(JsonLine& line, const Container& container);
void put_json_pod(JsonLine& line, const Container& container);

} // namespace telemetry
