// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <ebpf_loader/probe.hpp>

#include "telemetry/base/log.hpp"
#include "telemetry/delivery/config.hpp"
#include "telemetry/output/formats.hpp"
#include "telemetry/sink/sinks.hpp"

namespace telemetry {

/// What the command line asks for.
struct Options {
    enum class Action {
        run,
        help,
        version,
        probe,
        check,
        print_config,
        list_syscalls,
        spool_dump,
        verify,
        explain,
        status
    };

    std::string program = "ebpf_telemetry"; ///< whose options these are
    Action action = Action::run;
    std::string settings; ///< all of these, as a file of options

    std::string spool;                 ///< to dump
    std::vector<std::string> verified; ///< files of lines

    // events
    const Format* format = formats().front();
    FieldChoice fields;                     ///< of JSON
    size_t max_line = 0;                    ///< bytes of a line of JSON; 0: as long as it is
    bool colour = false;                    ///< of what is for a screen
    std::vector<Destination> outputs;       ///< where events go
    std::vector<OutputSettings> configured; ///< and where else, by --output-config
    bool lineage = true;                    ///< parents and leaders, where the format shows them
    bool hash = false;                      ///< hashes of executables, where the format shows them
    bool imds = false;                      ///< conversations with metadata services too
    std::optional<std::string> rules;       ///< absent: the built-in ones

    // the machine, as a container has it mounted; without a slash at the end
    std::string host_proc = "/proc";
    std::string host_root; ///< before "/etc/passwd"; empty: the machine's root is this program's, too

    // kernel
    std::optional<std::string> config; ///< "none": not even one that would be found
    std::optional<std::string> vmlinux;
    bool any_release = false;
    std::optional<ebpf_loader::Tier> tier;
    size_t buffer_bytes = 0;                       ///< 0: the loader's default
    uint32_t events_per_process = 0;               ///< a second; 0: no limit
    std::optional<std::chrono::milliseconds> fold; ///< how long one event stands for identical connections
    bool witness = true;                           ///< kprobes where the kernel acts on paths and addresses

    // the run
    std::optional<std::chrono::milliseconds> duration;
    std::optional<std::chrono::milliseconds> stats_every;
    bool summary = false;                                   ///< tables of who did most, at the end
    std::optional<std::chrono::milliseconds> summary_every; ///< and at this interval
    bool top = false; ///< they are shown on the terminal instead of events
    /// As setpriority(2) takes it, -20 to 19. Who keeps the buffers from running over must
    /// get a CPU while everybody else wants one.
    int nice = -10;
#ifdef EBT_SANITIZED
    bool keeps_rights = true; ///< the sanitizers need more than the program does
#else
    bool keeps_rights = false; ///< else it gives up what it does not need once it reports
#endif
    std::optional<std::chrono::milliseconds> heartbeat_every =
        std::chrono::minutes(1); ///< none: no heartbeats
    std::optional<std::string> metrics_file;
    std::optional<std::string> listen; ///< where it says over HTTP how it is
    std::chrono::milliseconds metrics_every = std::chrono::seconds(15);
    bool ends_when_tampered = false; ///< with; otherwise what was changed is put right
    unsigned max_cpu = 0;            ///< percent of one CPU; 0: no limit
    size_t max_memory = 0;           ///< bytes; 0: no limit
    LogLevel log_level = LogLevel::info;
    bool silent = false; ///< nothing at all on the screen

    bool follows_lineage() const;
    /// Are events counted by who made them?
    bool counts_activity() const {
        return summary || top;
    }
    /// What may wait for configured outputs, in bytes.
    size_t output_memory() const;
};

/// Throws ebpf_loader::Error(usage) with the reason and a hint.
Options parse_options(int argc, const char* const argv[]);

std::string help_text();
std::string version_text();

} // namespace telemetry
