// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace telemetry {

/// As a gzip file. Empty when there is no memory for it.
std::string gzipped(std::string_view bytes);

} // namespace telemetry
