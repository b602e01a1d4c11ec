// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include <csignal>

namespace ebpf_loader {

/// Blocks all signals while it lives: processes and threads that begin meanwhile inherit the mask, and so
/// never run a handler of the program around us.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

} // namespace ebpf_loader
