// SPDX-License-Identifier: MIT
#include "telemetry/base/signals.hpp"

#include <csignal>

namespace telemetry::signals {

namespace {

volatile std::sig_atomic_t end_signal = 0;
volatile std::sig_atomic_t hangup = 0;

extern "C" void note_end(int signal) {
    end_signal = signal;
}

extern "C" void note_hangup(int) {
    hangup = 1;
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

} // namespace

void install() {
    handle(SIGINT, note_end, static_cast<int>(SA_RESETHAND));
    handle(SIGTERM, note_end, static_cast<int>(SA_RESETHAND));
    handle(SIGPIPE, SIG_IGN, 0);
    struct sigaction before {};
    if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
        handle(SIGHUP, note_hangup, 0);
}

void ask_end() {
    end_signal = SIGINT;
}

bool end_asked() {
    return end_signal != 0;
}

bool take_hangup() {
    bool came = hangup != 0;
    hangup = 0;
    return came;
}

} // namespace telemetry::signals
