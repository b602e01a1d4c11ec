// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "telemetry/process/facts.hpp"

namespace telemetry::imds {

/// What /proc tells of a process besides its image. Nothing throws; what cannot be read is absent.
class ProcReader {
  public:
    explicit ProcReader(std::string root = "/proc") : root_(std::move(root)) {}

    struct Parentage {
        uint32_t ppid = 0;
        uint64_t start_ticks = 0; ///< since boot, in the coarse unit of /proc
        bool is_exiting = false;  ///< it gives up what it has: namespaces first, then the cgroup
    };
    std::optional<Parentage> parentage(uint32_t pid) const;

    /// The path of its cgroup: the one that tells of a container, where there are several. Nothing
    /// in the cases where facts() tells nothing.
    std::optional<std::string> cgroup(uint32_t pid, uint64_t start_ticks) const;

    /// Capabilities, namespaces and cgroup. Nothing of a process that is there no more or about to
    /// go, or whose id belongs to another by now.
    std::optional<ProcessFacts> facts(uint32_t pid, uint64_t start_ticks) const;

    struct Ids {
        uint32_t uid = 0, euid = 0, suid = 0, fsuid = 0;
        uint32_t gid = 0, egid = 0, sgid = 0, fsgid = 0;
    };
    std::optional<Ids> ids(uint32_t pid) const;

  private:
    bool is_still(uint32_t pid, uint64_t start_ticks) const;
    std::optional<std::string> cgroup(uint32_t pid) const;
    std::optional<std::string> read(uint32_t pid, const char* name) const;
    uint32_t namespace_of(uint32_t pid, const char* name) const;

    std::string root_;
};

} // namespace telemetry::imds
