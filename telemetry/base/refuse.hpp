// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <ebpf_loader/error.hpp>

namespace telemetry {

/// For a wrong command line: throws ebpf_loader::Error(usage) with the reason and a reference to --help.
[[noreturn]] inline void refuse(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why + "; see --help");
}

} // namespace telemetry
