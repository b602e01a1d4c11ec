// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// Did the call run? Of one that a filter or a tracer had the chance to answer and that ran, nothing.
void put_json_execution(JsonLine& line, const Event& event);
void put_json_namespaces(JsonLine& line, const ImageNamespaces& namespaces);

} // namespace telemetry
