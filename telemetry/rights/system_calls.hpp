// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <string>

namespace telemetry {

/// From now on all threads of this process make only the system calls that it needs after its start. Those
/// that take over a process or a machine (execve, ptrace, mount, ...) end it; all others fail with EPERM and
/// are noted. Returns why that is not possible; empty when it is so.
std::string restrict_system_calls();

/// The name of a call that was refused since this was last asked.
std::optional<std::string> take_refused_call();

} // namespace telemetry
