// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace telemetry {

/// The document with every table between `<!-- generated:NAME -->` and `<!-- end -->` made
/// anew from the code. Throws std::runtime_error for an unknown NAME or a missing end.
std::string update_rules_reference(std::string_view document);

} // namespace telemetry
