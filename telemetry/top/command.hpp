// SPDX-License-Identifier: MIT
#pragma once
#include <span>

namespace telemetry {

/// `ebpf_telemetry top FILE...`; `given` stands behind the name. Returns the exit status; throws
/// ebpf_loader::Error.
int top_command(std::span<const char* const> given);

} // namespace telemetry
