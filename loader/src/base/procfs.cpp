// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/procfs.hpp"

#include <ebpf_loader/error.hpp>

#include <fstream>
#include <string>
#include <unistd.h>

namespace ebpf_loader {

namespace {

/// /proc/self/timens_offsets: a clock, seconds and nanoseconds a line. Absent before Linux 5.6.
bool has_shifted_clocks() {
    std::ifstream offsets("/proc/self/timens_offsets");
    std::string clock;
    long long seconds, nanoseconds;
    while (offsets >> clock >> seconds >> nanoseconds)
        if (seconds != 0 || nanoseconds != 0)
            return true;
    return false;
}

} // namespace

void require_proc() {
    if (access("/proc/self/fd", X_OK))
        throw Error(ErrorCode::resources,
                    "/proc is not mounted, but loading and the self-check need it; run: "
                    "mount -t proc proc /proc");
    if (has_shifted_clocks())
        throw Error(
            ErrorCode::resources,
            "this process is in a time namespace with shifted clocks (/proc/self/timens_offsets), so all "
            "times would be wrong; start it outside, for example with: nsenter --time --target 1");
}

} // namespace ebpf_loader
