// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string>

namespace ebpf_loader {

/// The capabilities that this process lacks to load the engine, in words; empty when none.
std::string missing_capabilities();

} // namespace ebpf_loader
