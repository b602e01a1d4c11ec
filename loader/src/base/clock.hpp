// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <cstdint>
#include <ctime>

namespace ebpf_loader {

/// What the clock says, in nanoseconds.
inline uint64_t clock_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

} // namespace ebpf_loader
