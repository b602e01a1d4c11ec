// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/discovery/setup.hpp"

namespace ebpf_loader::discovery {

/// A process that executes a small program of ours again, whenever it is asked to.
class Executed {
  public:
    /// Starts as a child of the worker; the program lies in the scratch directory.
    explicit Executed(Setup& setup);
    /// Executes the program and waits until it runs; the first time under this name.
    void execute(std::string_view name = {});
    const HelperProcess& process() const { return process_; }

  private:
    struct Pipes {
        explicit Pipes(HelperProcess& owner);
        int orders[2], news[2];
    };
    void await_start();

    Setup& setup_;
    const Pipes pipes_;
    HelperProcess& process_;
    bool started_ = false;
};

} // namespace ebpf_loader::discovery
