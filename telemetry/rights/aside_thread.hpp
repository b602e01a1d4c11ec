// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <thread>

#include "telemetry/rights/capabilities.hpp"

namespace telemetry {

/// A thread beside the one that reads events. Signals are that one's, and this one has no capabilities but
/// those that it keeps, unless keep_rights() came before.
std::thread start_aside(std::function<void()> work, CapabilityMask kept = 0);
/// Waits until those that were started have given up what they do not keep.
void await_aside_threads();
/// What any of these threads keeps.
CapabilityMask kept_aside();

/// Before any such thread is started.
void keep_rights();

} // namespace telemetry
