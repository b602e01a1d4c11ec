// SPDX-License-Identifier: LGPL-2.1
#include "procfs.hpp"

#include <ebpf_loader/error.hpp>

#include <unistd.h>

namespace ebpf_loader {

void require_proc() {
    if (access("/proc/self/fd", X_OK))
        throw Error(ErrorCode::resources, "/proc is not there, which loading and the self-check need; run: "
                                          "mount -t proc proc /proc");
}

} // namespace ebpf_loader
