// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "telemetry/sink/sink.hpp"
#include "telemetry/sink/syslog_message.hpp"

namespace telemetry {

struct SyslogOptions {
    std::string socket = "/dev/log";
    size_t message_bytes = syslog_message_bytes; ///< longer lines go in parts
    std::chrono::milliseconds patience{1000};    ///< how long one write() may wait in all
};

/// To the system's log, facility user, severity info, as "ebpf-telemetry".
/// Throws ebpf_loader::Error when there is no log to talk to.
std::unique_ptr<Sink> make_syslog_sink(const SyslogOptions& options = {});

} // namespace telemetry
