// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ebpf_loader/abi/record.h>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// Process images as /proc tells them: later than the event that asks, and only while
/// the process lives. Does not throw.
class Procfs {
  public:
    explicit Procfs(std::string root = "/proc");

    /// A process as it is now. The views are valid until the next call.
    struct Process {
        uint64_t start_ticks = 0; ///< since boot, in the coarse unit of /proc
        std::string_view comm;
        Image image;
    };
    /// Null when it is gone, or has no image: a zombie, a thread of the kernel.
    const Process* read(uint32_t pid) noexcept;
    /// The same; null also when the id belongs to another process by now.
    const Image* read(uint32_t pid, uint64_t start_time_ns) noexcept;

    /// The ids of all processes there are.
    std::vector<uint32_t> processes() const;

    uint64_t ticks(uint64_t time_ns) const { return time_ns / ns_per_tick_; }

  private:
    void read_exe(int directory) noexcept;
    void read_argv(int directory) noexcept;

    std::string root_;
    uint64_t ns_per_tick_;
    std::unique_ptr<char[]> exe_, argv_;
    char comm_[EBT_COMM_LEN], tty_[32];
    Process process_;
};

} // namespace telemetry
