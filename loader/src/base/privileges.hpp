// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string>
#include <vector>

namespace ebpf_loader {

/// The capabilities that this process lacks to load the engine, in words; empty when none.
std::string missing_capabilities();

/// Those of this process that eBPF may ask for, by name.
std::vector<std::string> held_capabilities();

} // namespace ebpf_loader
