// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <thread>

namespace telemetry {

/// A thread beside the one that reads events. Signals are that one's, and this one has no capabilities,
/// unless keep_rights() came before.
std::thread start_aside(std::function<void()> work);

/// Before any such thread is started.
void keep_rights();

} // namespace telemetry
