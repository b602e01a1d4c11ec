// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "event.hpp"

namespace telemetry {

/// Process images as /proc tells them: later than the event that asks, and only while
/// the process lives. Does not throw.
class Procfs {
  public:
    explicit Procfs(std::string root = "/proc");

    /// Null when the process is gone or its id belongs to another one by now. The
    /// views are valid until the next call.
    const Image* read(uint32_t pid, uint64_t start_time_ns) noexcept;

  private:
    void read_exe(int directory) noexcept;
    void read_argv(int directory) noexcept;

    std::string root_;
    uint64_t ns_per_tick_;
    std::unique_ptr<char[]> exe_, argv_;
    char tty_[32];
    Image image_;
};

} // namespace telemetry
