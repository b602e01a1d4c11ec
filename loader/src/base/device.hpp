// SPDX-License-Identifier: LGPL-2.1
// Numbers of devices.
#pragma once
#include <cstdint>

#include <sys/sysmacros.h>
#include <sys/types.h>

namespace ebpf_loader {

/// A device as the kernel counts it, for what stat(2) says.
inline uint32_t kernel_device(dev_t device) {
    constexpr unsigned minor_bits = 20;
    return major(device) << minor_bits | minor(device);
}

} // namespace ebpf_loader
