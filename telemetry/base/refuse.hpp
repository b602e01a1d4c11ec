// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include <ebpf_loader/error.hpp>

namespace telemetry {

/// A wrong command line. Throws ebpf_loader::Error(usage): the reason and where to read on.
[[noreturn]] inline void refuse(const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage, why + "; see --help");
}

} // namespace telemetry
