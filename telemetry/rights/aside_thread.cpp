// SPDX-License-Identifier: MIT
#include "telemetry/rights/aside_thread.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <system_error>
#include <utility>

namespace telemetry {

namespace {

bool keeps_rights = false;
CapabilityMask all_kept = 0;
std::atomic<int> starting = 0; ///< threads that have not given up anything yet

} // namespace

std::thread start_aside(std::function<void()> work, CapabilityMask kept) {
    all_kept |= kept;
    sigset_t others, before;
    sigfillset(&others);
    sigdelset(&others, SIGSYS); // of a system call of its own that is refused
    pthread_sigmask(SIG_SETMASK, &others, &before);
    ++starting;
    std::thread thread;
    const auto run = [work = std::move(work), kept] {
        if (!keeps_rights)
            set_capabilities(kept & permitted_capabilities(), kept & permitted_capabilities());
        --starting;
        starting.notify_all();
        work();
    };
    try {
        thread = std::thread(run);
    } catch (const std::system_error&) {
        --starting;
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

void await_aside_threads() {
    for (int count = starting; count != 0; count = starting)
        starting.wait(count);
}

CapabilityMask kept_aside() {
    return all_kept;
}

void keep_rights() {
    keeps_rights = true;
}

} // namespace telemetry
