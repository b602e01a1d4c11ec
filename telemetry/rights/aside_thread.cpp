// SPDX-License-Identifier: MIT
#include "telemetry/rights/aside_thread.hpp"

#include <csignal>
#include <pthread.h>
#include <utility>

namespace telemetry {

namespace {

bool keeps_rights = false;
CapabilityMask all_kept = 0;

} // namespace

std::thread start_aside(std::function<void()> work, CapabilityMask kept) {
    all_kept |= kept;
    sigset_t others, before;
    sigfillset(&others);
    sigdelset(&others, SIGSYS); // of a system call of its own that is refused
    pthread_sigmask(SIG_SETMASK, &others, &before);
    std::thread thread([work = std::move(work), kept] {
        if (!keeps_rights)
            set_capabilities(kept & permitted_capabilities(), kept & permitted_capabilities());
        work();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

CapabilityMask kept_aside() {
    return all_kept;
}

void keep_rights() {
    keeps_rights = true;
}

} // namespace telemetry
