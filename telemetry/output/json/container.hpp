// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/output/json/line.hpp"
#include "telemetry/process/container.hpp"
#include "telemetry/process/container_names.hpp"

namespace telemetry {

// The objects `container`, and `orchestrator` and `kubernetes`, each with a comma before it; nothing for a
// process that is in no container, or in none of a pod. `names` is null where they are not known.
void put_json_container(JsonLine& line, const Container& container, const ContainerNames* names = nullptr);
void put_json_pod(JsonLine& line, const Container& container, const ContainerNames* names = nullptr);

} // namespace telemetry
