// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/sink/sink.hpp"

namespace telemetry {

struct SinkOptions {
    size_t buffer_bytes = 256 * 1024; ///< what may wait for a slow reader or a full disk
    /// How long one call may wait for a reader that takes nothing. Once it was waited for in
    /// vain, nothing is waited for until it takes something again.
    std::chrono::milliseconds patience{1000};
};

/// A file that can be changed for a new one under the same name.
class FileSink : public Sink {
  public:
    /// Opens the file anew, after log rotation has moved the old one. False, and goes on with the
    /// old one, when that fails: error() then tells why.
    virtual bool reopen() = 0;
};

/// To a descriptor that is open already and stays so: standard output, whatever that is (file,
/// pipe, terminal, socket). `name` is for error(). Throws ebpf_loader::Error when it is closed.
///
/// This and the next make the process ignore SIGPIPE and SIGXFSZ, unless it handles them.
std::unique_ptr<Sink> make_stream_sink(int fd, const std::string& name, const SinkOptions& options = {});

/// To the end of a file, which is made, for its owner alone, if there is none.
/// Throws ebpf_loader::Error.
std::unique_ptr<FileSink> make_file_sink(const std::string& path, const SinkOptions& options = {});

struct SyslogOptions {
    std::string socket = "/dev/log";
    size_t message_bytes = 8192; ///< longer lines go in parts
    std::chrono::milliseconds patience{1000};
};

/// To the system's log, facility user, severity info, as "ebpf-telemetry".
/// Throws ebpf_loader::Error when there is no log to talk to.
std::unique_ptr<Sink> make_syslog_sink(const SyslogOptions& options = {});

} // namespace telemetry
