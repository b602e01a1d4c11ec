// SPDX-License-Identifier: MIT
#pragma once
#include <csignal>
#include <optional>
#include <string>

#include "test/bench/output_file.hpp"
#include "test/bench/subjects.hpp"

namespace bench {

/// A program that is started to watch and ended to stop, and writes lines of what it saw.
struct ToolPlan {
    Command command;
    std::string output; ///< file that it writes to
    bool output_is_stdout = true;
    std::string shows_it_runs; ///< text in the output once it watches
    std::string marker;        ///< text in the lines that count
    int signal = SIGINT;
};

class Tool : public Subject {
  public:
    Tool(const Settings& settings, ToolPlan plan) : settings_(settings), plan_(std::move(plan)) {}
    void on() override;
    Outcome off() override;
    uint64_t resident() const override { return resident_memory(pid()); }

  protected:
    pid_t pid() const { return process_ ? process_->pid() : -1; }
    virtual void wait_until_it_watches();
    /// Once it has ended: what it wrote.
    virtual void collect(Outcome& outcome);
    std::string errors() const { return plan_.output + ".errors"; }
    /// Opens files by a name that the output will have, until it has.
    void provoke_until_seen(milliseconds patience);

    const Settings& settings_;
    const ToolPlan plan_;
    std::optional<OutputFile> output_;
    std::optional<Process> process_;
    uint64_t cpu_before_ = 0;
};

} // namespace bench
