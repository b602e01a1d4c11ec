// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <optional>
#include <string>

namespace ebpf_loader {

/// Where tracefs is mounted: "/sys/kernel/tracing", or below debugfs.
std::optional<std::string> find_tracefs();

/// The same, and mounts it when it is not. Throws Error(tracefs) when that is not allowed.
std::string ensure_tracefs();

} // namespace ebpf_loader
