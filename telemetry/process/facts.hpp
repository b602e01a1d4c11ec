// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/process/container.hpp"

namespace telemetry {

/// The capability sets of a process, a bit for each capability.
struct CapabilitySets {
    uint64_t effective = 0;
    uint64_t permitted = 0;
    uint64_t inheritable = 0;
    uint64_t bounding = 0;
    uint64_t ambient = 0;
};

/// Namespaces by their inode numbers; 0: not known.
struct Namespaces {
    uint32_t cgroup = 0, ipc = 0, mnt = 0, net = 0, pid = 0, user = 0, uts = 0;
    bool any() const { return cgroup | ipc | mnt | net | pid | user | uts; }
};

/// What is known of a process besides its events.
struct ProcessFacts {
    std::optional<CapabilitySets> capabilities;
    Namespaces namespaces;
    std::string cgroup; ///< its path, from the root of the hierarchy; empty: not known
    Container container;
    /// Some of it is the parent's, or was read before the last exec: the process ended too soon.
    bool inherited = false;

    void set_cgroup(std::string_view path) {
        cgroup = path;
        container = container_of(path);
    }
};

} // namespace telemetry
