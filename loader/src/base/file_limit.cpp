// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/file_limit.hpp"

#include <ebpf_loader/error.hpp>

#include "loader/src/base/cpus.hpp"

#include <algorithm>
#include <string>
#include <sys/resource.h>

namespace ebpf_loader {

void ensure_file_limit() {
    // Maps, programs, links and what the self-check has open are some 40; the rest is the
    // caller's. A perf buffer takes one for each CPU.
    const rlim_t needed = 128 + online_cpus().size();
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= needed)
        return;
    const rlimit raised{needed, std::max(limit.rlim_max, needed)};
    if (setrlimit(RLIMIT_NOFILE, &raised))
        throw Error(ErrorCode::resources, "this process may open " + std::to_string(limit.rlim_max) +
                                              " files, and " + std::to_string(needed) +
                                              " are needed; raise the limit (ulimit -n, LimitNOFILE=)");
}

} // namespace ebpf_loader
