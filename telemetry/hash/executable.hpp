// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "telemetry/event/event.hpp"
#include "telemetry/process/procfs.hpp"
#include "telemetry/stack/mounts.hpp"

namespace telemetry {

/// A SHA-256 in hexadecimal digits.
using Sha256 = std::array<char, 64>;

/// Reads and hashes what processes execute, which may be anything and belong to anybody: never by a name,
/// only on local file systems, only what its process still executes, and of a bounded size.
class ExecutableReader {
  public:
    struct Request {
        uint32_t pid = 0;
        uint64_t start_time_ns = 0;
        FileVersion version;
    };
    enum class Outcome {
        hashed,
        gone,    ///< the process has ended or executes something else: another one may say
        refused, ///< too large, not on a local file system, or no regular file
        changed, ///< the file has other content by now
        stopped,
    };
    struct Result {
        Outcome outcome = Outcome::gone;
        Sha256 sha256{};
    };

    /// `goes_on` is called after each piece, may take its time, and ends the reading by false.
    ExecutableReader(const std::string& proc_root, uint64_t most_bytes, std::function<bool()> goes_on);

    Result read(const Request& request);

  private:
    Result hash(int file) const;
    bool is_version(int file, const FileVersion& version) const;

    std::string proc_root_;
    Procfs procfs_;
    HostMounts host_;
    uint64_t most_bytes_;
    std::function<bool()> goes_on_;
    bool denies_writing_; ///< the kernel lets nobody write to what is executed
};

} // namespace telemetry
