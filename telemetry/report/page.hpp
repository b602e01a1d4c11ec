// SPDX-License-Identifier: MIT
#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry::report {

/// Writes the page: telemetry/report/page/ with `data` (JSON) and `blocks` (raw deflate) in it. Both are
/// written as base64, which has no character that HTML knows. Only the scripts of this program run in the
/// page: its content-security-policy names their hash.
void write_page(std::ostream& out, std::string_view data, const std::vector<std::string>& blocks);

} // namespace telemetry::report
