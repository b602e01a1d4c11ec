// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "telemetry/event/event.hpp"
#include "test/kernel/subject/call_log.h"

namespace kernel_test {

/// An event as named values: all that can be known beforehand, nothing else. Values that
/// are not known stand as `anything`.
using Fields = std::vector<std::pair<std::string, std::string>>;
inline constexpr const char* anything = "*";

/// What the event says.
Fields describe(const telemetry::Event& event);
/// What it must say.
Fields expected(const call_log& log, const log_entry& entry);

/// One line for each field that differs; empty when all are as expected.
std::string differences(const Fields& expected, const Fields& seen);

/// Printable, with escapes; in quotes.
std::string in_quotes(std::string_view bytes);

} // namespace kernel_test
