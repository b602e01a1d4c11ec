// SPDX-License-Identifier: MIT
#pragma once
#include <memory>
#include <string>

#include "extension.hpp"

namespace telemetry::imds {

/// The events of imds-tracker, for another program's stream. `format`: "text" or "json".
std::unique_ptr<Extension> make_imds_extension(const std::string& format);

} // namespace telemetry::imds
