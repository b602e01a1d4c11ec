// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/cli/options.hpp"

namespace telemetry::imds {

/// The options of imds-tracker, parsed and checked.
struct TrackerOptions {
    enum class Colour { automatic, always, never };

    Options common; ///< the options that ebpf_telemetry has too
    bool unsafe = false;
    bool user_stack_trace = false;
    std::vector<std::string> endpoints; ///< files, besides the built-in ones
    bool summary = false;
    std::optional<std::chrono::milliseconds> summary_every;
    Colour colour = Colour::automatic;
};

/// Throws ebpf_loader::Error(usage) with the reason and a hint.
TrackerOptions parse_tracker_options(int argc, const char* const argv[]);

std::string tracker_help();
std::string tracker_version();

} // namespace telemetry::imds
