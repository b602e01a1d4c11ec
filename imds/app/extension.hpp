// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "telemetry/app/extension.hpp"

namespace telemetry::imds {

/// The events of imds-tracker, for another program's stream. `format`: "text" or "json".
/// `max_memory`: of the whole program, in bytes; 0: no limit.
std::unique_ptr<Extension> make_imds_extension(const std::string& format, size_t max_memory = 0);

} // namespace telemetry::imds
