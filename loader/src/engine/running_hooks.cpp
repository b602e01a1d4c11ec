// SPDX-License-Identifier: LGPL-2.1
#include <chrono>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include <ebpf_loader/engine.hpp>

namespace ebpf_loader {

/// The kernel runs these programs in sections that its synchronize_rcu() (before Linux 4.20,
/// synchronize_sched()) waits for, and membarrier(2) is a way to call it. Kernels with processors free of
/// ticks (nohz_full) have it not.
void Engine::await_running_hooks() {
    constexpr std::chrono::seconds longer_than_any_runs{1};
    constexpr int all_processes = 1 << 0; // MEMBARRIER_CMD_GLOBAL, or _SHARED in older headers
    if (syscall(SYS_membarrier, all_processes, 0) != 0)
        std::this_thread::sleep_for(longer_than_any_runs);
}

} // namespace ebpf_loader
