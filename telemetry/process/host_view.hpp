// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

namespace telemetry {

/// What of the machine a run sees, which may be in a container: its processes at `proc`, its files below
/// `root` (without a slash at the end; empty: /).
struct HostView {
    std::string proc = "/proc";
    std::string root;
};

/// Throws ebpf_loader::Error(usage), saying what to mount, where `proc` is no proc file system, or `root` has
/// no folder etc.
void require_host_view(const HostView& view);

/// What is missing, with the remedy, a sentence each: the processes and files may be a container's instead of
/// the machine's. Empty where all is there, and where that cannot be found out.
std::vector<std::string> missing_of_host(const HostView& view);

} // namespace telemetry
