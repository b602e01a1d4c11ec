// SPDX-License-Identifier: MIT
#pragma once
#include "test/kernel/process.hpp"

namespace kernel_test {

/// A thread made by a plain clone, so that the call's arguments are known. It shares the
/// C library's thread state with its maker: `run` neither allocates nor uses errno.
class Thread {
  public:
    /// `run` gets the thread's own view of the process, and `argument`. When it comes back
    /// the thread ends by exit.
    Thread(Process& p, void (*run)(Process& thread, void* argument), void* argument = nullptr,
           Location where = Location::current());
    void join() const;
    uint32_t tid() const { return tid_; }

  private:
    static void start(void* self);

    Process view_;
    void (*run_)(Process&, void*);
    void* argument_;
    log_entry* made_ = nullptr;
    uint32_t tid_ = 0;
    int alive_ = 1; ///< the kernel clears it
};

/// Ends the calling thread by exit, logged.
[[noreturn]] void exit_thread(Process& thread, int status, Location where = Location::current());

} // namespace kernel_test
