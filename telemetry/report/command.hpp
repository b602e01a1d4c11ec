// SPDX-License-Identifier: MIT
#pragma once
#include <span>

namespace telemetry {

/// ebpf_telemetry report FILE... --html OUT. Returns the exit status: exit_fault if a line could not be read,
/// of which the page tells; throws if there is no page.
int report_command(std::span<const char* const> arguments);

} // namespace telemetry
