// SPDX-License-Identifier: MIT
#pragma once
#include <span>
#include <string>

namespace telemetry {

/// The arguments of a command, without the program's name and its own.
using CommandArguments = std::span<const char* const>;

/// Something else than a run, named by the first argument.
struct Command {
    const char* name;
    const char* arguments; ///< as a usage has them
    const char* help;
    int (*run)(CommandArguments arguments); ///< returns the exit status; throws on what cannot be done
};

/// Which one a command line names; null if it names none.
const Command* command_of(int argc, const char* const argv[]);

/// A line for each, for --help.
std::string commands_help();

} // namespace telemetry
