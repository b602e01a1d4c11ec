// SPDX-License-Identifier: MIT
#pragma once
#include "telemetry/helper/channel.hpp"
#include "telemetry/stack/known_code.hpp"
#include "telemetry/stack/walk.hpp"

namespace telemetry {

/// What the helper for stacks does: reads the files of processes, goes up their stacks and finds the names,
/// for one stack after another until the channel is closed. It remembers what it has found.
void serve_stacks(Channel& channel, const StackLimits& limits, const KnownCode::Limits& known);

} // namespace telemetry
