// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <ebpf_loader/unique_fd.hpp>

namespace bench {

using Command = std::vector<std::string>;
using ebpf_loader::UniqueFd;

/// "a b c", for messages.
std::string joined(const Command& command);

/// Where a process's output goes.
struct Streams {
    bool dialogue = false; ///< standard input and output are pipes to us
    std::string output;    ///< file for standard output; empty: nowhere
    std::string errors;    ///< file for standard error; empty: nowhere
};

/// A process that we started, ended with us.
class Process {
  public:
    /// Throws when it cannot be started.
    explicit Process(const Command& command, const Streams& streams = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    bool is_running();

    void say(const std::string& line);
    /// A line of its output without '\n'; throws when none comes in time.
    std::string hear(std::chrono::milliseconds patience);

    /// Sends a signal and waits for the end; SIGKILL when that does not come in time.
    void end(int signal, std::chrono::milliseconds patience);
    /// Its exit status, 128 + N for a signal; throws when that does not come in time.
    int wait(std::chrono::milliseconds patience);
    /// CPU time of its whole life, once it has ended.
    uint64_t total_cpu_ns() const { return total_cpu_ns_; }

  private:
    void reap(int options);

    pid_t pid_ = -1;
    std::optional<int> status_;
    uint64_t total_cpu_ns_ = 0;
    UniqueFd input_, output_;
    std::string heard_;
};

/// Runs a command to its end. Its output; throws with its errors when it fails.
std::string run(const Command& command);
/// The same for its exit status alone, with its output into a file or nowhere.
int run_status(const Command& command, const std::string& output = "");

/// CPU time used so far by a process, all threads, user and kernel; 0 once it is gone.
uint64_t cpu_ns(pid_t pid);
/// The most resident memory it ever had, in bytes; 0 once it is gone.
uint64_t peak_memory(pid_t pid);
uint64_t resident_memory(pid_t pid);

/// Is there such a command? Its path, or empty.
std::string which(const std::string& name);

} // namespace bench
