// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <string>

#include <ebpf_loader/selection.hpp>

#include "telemetry/cli/commands.hpp"
#include "telemetry/cli/options.hpp"

namespace telemetry {

/// What a program on this engine does for what its command line asks for.
struct Program {
    std::function<std::string()> help, version;
    std::function<std::string()> check;                ///< returns what is in order
    std::function<int()> run;                          ///< returns the exit status
    std::function<ebpf_loader::Selection()> selection; ///< of such a run
};

/// Does what `options` ask for, with a log under the program's name.
/// Returns the exit status; what is thrown on the way becomes a line of the log and its status.
int act(const Options& options, const Program& program, const char* name);

/// The same for a command, which has no options of a run.
int run_command(const Command& command, CommandArguments arguments, const char* name);

/// A main: `parse_and_act` returns the exit status; it throws on wrong options.
int run_program(const char* name, const std::function<int()>& parse_and_act);

} // namespace telemetry
