// SPDX-License-Identifier: MIT
#pragma once
#include "event.hpp"
#include "rules_resolve.hpp"

namespace telemetry::rules {

/// As the kernel does it.
bool holds(const NumberTest& test, const Event& event);
/// A text that could not be read, or not in the part that matters, compares as `when_unknown`.
bool holds(const TextTest& test, const Event& event, bool when_unknown);

/// P: could something that every event has not be read?
bool standard_fields_failed(const Event& event);
/// V: could something that this call has not be read?
bool specific_fields_failed(const Event& event);

} // namespace telemetry::rules
