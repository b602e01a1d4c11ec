// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

#include "telemetry/output/formatter.hpp"
#include "telemetry/output/json/fields/fields.hpp"

namespace telemetry {

/// What follows the time in every line of a run: whose events these are and where they belong. It
/// ends inside of the object `event`, before its next member. `dataset` is the last part of event.dataset.
std::string json_head(const FormatContext& context, std::string_view dataset,
                      const FieldSet& fields = FieldSet::all());

/// The start of event.id, up to what is the event's own.
std::string json_event_id(const FormatContext& context);

} // namespace telemetry
