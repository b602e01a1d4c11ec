// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace telemetry::imds {

/// Capability sets, a bit for each.
struct Capabilities {
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

struct Container {
    std::string id;           ///< full, in hexadecimal; empty: in no container
    std::string_view runtime; ///< "docker", "containerd", ...; empty: the path does not tell
};

/// The container that a cgroup path tells of, as docker, containerd, cri-o, podman, ECS and
/// Kubernetes name their cgroups.
Container container_of(std::string_view cgroup_path);

/// What there is to know of a process besides its events.
struct ProcessFacts {
    std::optional<Capabilities> capabilities;
    Namespaces namespaces;
    std::string cgroup; ///< its path, from the root of the hierarchy; empty: not known
    Container container;
    /// Some of it is its parent's, or of before its exec: it was gone too soon to be asked.
    bool inherited = false;

    void set_cgroup(std::string_view path);
};

} // namespace telemetry::imds
