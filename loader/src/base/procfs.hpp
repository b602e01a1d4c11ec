// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebpf_loader {

/// What is observed is compared with /proc. Throws Error(resources) where that is not mounted,
/// and in a time namespace that shifts its clocks: times there are not the kernel's.
void require_proc();

/// Is there a hierarchy of cgroups of version 1?
bool has_cgroup_controllers();
/// The path of this process in the unified one; empty: not known.
std::string own_unified_cgroup();

/// The first number in a line of /proc/PID/status, by the line's name: "FDSize"; nullopt when no line has
/// that name.
std::optional<uint64_t> status_number(std::string_view status, std::string_view name, int base = 10);

} // namespace ebpf_loader
