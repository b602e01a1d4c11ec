// SPDX-License-Identifier: MIT
// Other programs that watch system calls, where they are installed. Each is asked for the
// events of cost.rules, as near as it can come, and writes them to a file as ours does.
#include "test/bench/audit.hpp"
#include "test/bench/tool.hpp"

namespace bench {
namespace {

/// O_WRONLY | O_RDWR | O_CREAT | O_TRUNC
constexpr const char* to_write = "0x243";

std::string bpftrace_script() {
    const std::string at = "tracepoint:syscalls:sys_enter_", print = " { printf(\"%d %s ";
    return at + "openat /args->flags & " + to_write + "/" + print +
           "openat %s\\n\", pid, comm, str(args->filename)); }\n" + at + "unlink" + print +
           "unlink %s\\n\", pid, comm, str(args->pathname)); }\n" + at + "connect" + print +
           "connect\\n\", pid, comm); }\n" + at + "execve" + print +
           "execve %s\\n\", pid, comm, str(args->filename)); }\n" + "tracepoint:sched:sched_process_exit" +
           print + "exit\\n\", pid, comm); }\n";
}

ToolPlan bpftrace(const Settings& settings) {
    return {.command = {"bpftrace", "-B", "full", "-e", bpftrace_script()},
            .output = settings.scratch + "/bpftrace.out",
            .shows_it_runs = "openat",
            .marker = settings.scratch + "/storm"};
}

ToolPlan opensnoop(const Settings& settings, const std::string& command) {
    return {.command = {command},
            .output = settings.scratch + "/opensnoop.out",
            .shows_it_runs = settings.scratch + "/probe",
            .marker = settings.scratch + "/storm"};
}

/// Its lines have the name as an address: of the storm's are those that open for writing alone.
ToolPlan perf_trace(const Settings& settings) {
    const std::string output = settings.scratch + "/perf.out";
    return {.command = {"perf", "trace", "-a", "-e", "openat,unlink,connect,execve", "-o", output},
            .output = output,
            .output_is_stdout = false,
            .shows_it_runs = "openat(",
            .marker = "flags: WRONLY)"};
}

/// Follows the workload alone, which it starts.
class Strace : public Subject {
  public:
    explicit Strace(const Settings& settings)
        : path_(settings.scratch + "/strace.out"), marker_(settings.scratch + "/storm") {}
    void on() override { output_.emplace(path_, marker_); }
    Outcome off() override {
        const OutputFile::Count count = output_->take();
        output_.reset();
        Outcome outcome;
        outcome.counts = {{"delivered", count.marked}, {"lines", count.lines}};
        return outcome;
    }
    Command around(const Command& command) const override {
        Command all = {
            "strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=openat,unlink,connect,execve,exit_group",
            "-o",     path_};
        all.insert(all.end(), command.begin(), command.end());
        return all;
    }

  private:
    std::string path_, marker_;
    std::optional<OutputFile> output_;
};

/// opensnoop is in two packages, under several names.
std::string find_opensnoop() {
    for (const char* name : {"opensnoop", "bpf-opensnoop", "opensnoop-bpfcc"})
        if (std::string path = which(name); !path.empty())
            return path;
    return "";
}

} // namespace

std::vector<Candidate> rivals(const Settings& settings) {
    const auto absent = [](const std::string& name) {
        return which(name).empty() ? name + " is not installed" : "";
    };
    const auto tool = [&](const std::string& name, const std::string& about, const std::string& why_absent,
                          const ToolPlan& plan) {
        return Candidate{.name = name,
                         .about = about,
                         .group = Group::rival,
                         .absent = why_absent,
                         .make = [&settings, plan] { return std::make_unique<Tool>(settings, plan); }};
    };
    const std::string snoop = find_opensnoop();
    return {
        tool("bpftrace", "a script that prints the same calls, to a file", absent("bpftrace"),
             bpftrace(settings)),
        tool("opensnoop", "prints every open, for reading too, and nothing else, to a file",
             snoop.empty() ? "opensnoop is not installed" : "", opensnoop(settings, snoop)),
        tool("perf trace", "openat, unlink, connect and execve of the whole system, to a file",
             absent("perf"), perf_trace(settings)),
        {.name = "strace",
         .about = "follows the workload alone, by ptrace with a seccomp filter, to a file",
         .group = Group::rival,
         .absent = absent("strace"),
         .make = [&settings] { return std::make_unique<Strace>(settings); }},
        audit_candidate(settings), // the last: a kernel that once audited never forgets it
    };
}

} // namespace bench
