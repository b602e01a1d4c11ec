// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "telemetry/app/extension.hpp"

namespace telemetry::imds {

/// Adds the events of imds-tracker to those of another program, in that program's formats.
/// `max_memory`: of the program but for its outputs and tables, in bytes; 0: no limit. `proc_root`: the
/// machine's /proc.
std::unique_ptr<Extension> make_imds_extension(size_t max_memory = 0, const std::string& proc_root = "/proc");

} // namespace telemetry::imds
