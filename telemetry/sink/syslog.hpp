// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "telemetry/sink/sink.hpp"

namespace telemetry {

struct SyslogOptions {
    std::string socket = "/dev/log";
    /// Longer lines go in parts. rsyslog by default cuts a message at 8,096 bytes, with its header: also
    /// where it was forwarded to, when it has a longer time and the host's name.
    size_t message_bytes = 8000;
    std::chrono::milliseconds patience{1000};
};

/// To the system's log, facility user, severity info, as "ebpf-telemetry".
/// Throws ebpf_loader::Error when there is no log to talk to.
std::unique_ptr<Sink> make_syslog_sink(const SyslogOptions& options = {});

} // namespace telemetry
