// SPDX-License-Identifier: LGPL-2.1
#pragma once
#include "loader/src/discovery/scene.hpp"

namespace ebpf_loader::discovery {

/// A process that executes a small program of ours again and again, as often as it is told.
class Executed {
  public:
    /// Starts as a puppet of the actor's; the program lies in the workshop.
    explicit Executed(Scene& scene);
    /// Executes the program and waits until it runs; the first time under this name.
    void execute(std::string_view name = {});
    const Puppet& process() const { return process_; }

  private:
    struct Pipes {
        explicit Pipes(Puppet& owner);
        int orders[2], news[2];
    };
    void await_start();

    Scene& scene_;
    const Pipes pipes_;
    Puppet& process_;
    bool started_ = false;
};

} // namespace ebpf_loader::discovery
