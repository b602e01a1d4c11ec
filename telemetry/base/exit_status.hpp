// SPDX-License-Identifier: MIT
#pragma once

#include <ebpf_loader/error.hpp>

namespace telemetry {

// The exit statuses that --help lists.
constexpr int exit_ok = 0;
constexpr int exit_fault = 1;
constexpr int exit_output = 9;
constexpr int exit_tampered = 10;

constexpr int exit_status(ebpf_loader::ErrorCode code) {
    using ebpf_loader::ErrorCode;
    switch (code) {
    case ErrorCode::usage:
        return 2;
    case ErrorCode::privileges:
        return 3;
    case ErrorCode::lockdown:
        return 4;
    case ErrorCode::tracefs:
        return 5;
    case ErrorCode::offsets:
        return 6;
    case ErrorCode::tiers:
        return 7;
    case ErrorCode::resources:
        return 8;
    }
    return exit_fault;
}

} // namespace telemetry
