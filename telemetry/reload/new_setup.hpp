// SPDX-License-Identifier: MIT
#pragma once
#include <ebpf_loader/engine.hpp>

#include "telemetry/cli/options.hpp"
#include "telemetry/delivery/output.hpp"
#include "telemetry/rules/rules.hpp"

namespace telemetry {

/// What a reload of ebpf_telemetry puts in force.
struct NewSetup {
    Options options;
    Rules rules;
    ebpf_loader::Selection selection;
    NewOutputs outputs;
};

} // namespace telemetry
