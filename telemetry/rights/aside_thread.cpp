// SPDX-License-Identifier: MIT
#include "telemetry/rights/aside_thread.hpp"

#include <csignal>
#include <pthread.h>
#include <utility>

#include "telemetry/rights/capabilities.hpp"

namespace telemetry {

namespace {

bool keeps_rights = false;

} // namespace

std::thread start_aside(std::function<void()> work) {
    sigset_t others, before;
    sigfillset(&others);
    sigdelset(&others, SIGSYS); // of a system call of its own that is refused
    pthread_sigmask(SIG_SETMASK, &others, &before);
    std::thread thread([work = std::move(work)] {
        if (!keeps_rights)
            set_capabilities(0, 0);
        work();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

void keep_rights() {
    keeps_rights = true;
}

} // namespace telemetry
