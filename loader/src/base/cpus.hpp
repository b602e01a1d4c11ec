// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <vector>

namespace ebpf_loader {

/// CPUs that run now, ascending, from /sys/devices/system/cpu/online.
std::vector<int> online_cpus();

} // namespace ebpf_loader
