// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/output/constant_names.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {

/// Did the call run? Of one that a filter or a tracer had the chance to answer and that ran, nothing.
void put_json_execution(JsonLine& line, const Event& event);
/// Those that are not the machine's first.
void put_json_namespaces(JsonLine& line, const ImageNamespaces& namespaces, const ImageNamespaces& first);

/// The names of a set of capabilities, as an array; of one that has no name here, its number.
void put_json_capabilities(JsonLine& line, uint64_t set);

/// The structure that an argument points to, member by member; of a member that was not captured, nothing.
void put_json_structure(JsonLine& line, const Event& event, ConstantNames& names);

} // namespace telemetry
