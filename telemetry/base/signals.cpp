// SPDX-License-Identifier: MIT
#include "telemetry/base/signals.hpp"

#include <csignal>

#include <sys/types.h>

namespace telemetry::signals {

namespace {

static_assert(sizeof(std::sig_atomic_t) >= sizeof(pid_t) && sizeof(std::sig_atomic_t) >= sizeof(uid_t));

volatile std::sig_atomic_t end_wanted = 0;
volatile std::sig_atomic_t came = 0; ///< SIGINT or SIGTERM, with who sent it, if that was a process
volatile std::sig_atomic_t sender = 0;
volatile std::sig_atomic_t sender_user = 0;
volatile std::sig_atomic_t hangup = 0;

extern "C" void note_end(int signal, siginfo_t* about, void*) {
    const bool is_of_process = about->si_code <= 0; // the kernel's own are positive: Ctrl+C
    sender = is_of_process ? about->si_pid : 0;
    sender_user = is_of_process ? static_cast<std::sig_atomic_t>(about->si_uid) : 0;
    came = signal;
    end_wanted = 1;
}

extern "C" void note_hangup(int) {
    hangup = 1;
}

void handle(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(signal, &action, nullptr);
}

void handle_end(int signal) {
    struct sigaction action {};
    action.sa_sigaction = note_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_SIGINFO;
    sigaction(signal, &action, nullptr);
}

} // namespace

void install() {
    handle_end(SIGINT);
    handle_end(SIGTERM);
    handle(SIGPIPE, SIG_IGN);
    struct sigaction before {};
    if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
        handle(SIGHUP, note_hangup);
}

void ask_end() {
    end_wanted = 1;
}

bool end_asked() {
    return end_wanted != 0;
}

std::string end_signal() {
    if (came == 0)
        return {};
    std::string text = came == SIGINT ? "SIGINT" : "SIGTERM";
    if (sender != 0) // 0: by a terminal, or from outside of this PID namespace
        text += " from process " + std::to_string(sender) + " of user " +
                std::to_string(static_cast<uid_t>(sender_user));
    return text;
}

bool take_hangup() {
    const bool has_come = hangup != 0;
    hangup = 0;
    return has_come;
}

} // namespace telemetry::signals
