// SPDX-License-Identifier: MIT
#pragma once
#include <span>

namespace telemetry {

/// "ebpf_telemetry verify FILE...": the arguments behind "verify". Returns the exit status; throws
/// ebpf_loader::Error(usage).
int verify_command(std::span<const char* const> arguments);

} // namespace telemetry
