// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>

namespace telemetry {

struct Container {
    std::string id;           ///< full, in hexadecimal; empty: the process is in no container
    std::string_view runtime; ///< "docker", "containerd", ...; empty: the path does not show it
    std::string pod;          ///< uid of its pod in Kubernetes; empty: it is in none
};

/// The container that a cgroup's path belongs to, as docker, containerd, cri-o, podman, ECS and
/// Kubernetes name their cgroups.
Container container_of(std::string_view cgroup_path);

/// 64 hexadecimal digits; ECS on Fargate has 32 and a decimal number behind a dash.
bool is_container_id(std::string_view text);

} // namespace telemetry
