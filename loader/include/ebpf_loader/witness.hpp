// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ebpf_loader {

/// What became of one kprobe of those that witness what the kernel acts on.
struct WitnessVerdict {
    std::string_view function; ///< of the kernel, that it is at
    bool needed = true;        ///< without it something is not witnessed; others serve some kernels alone
    bool attached = false;
    std::string reason; ///< why not, in words
};

} // namespace ebpf_loader
