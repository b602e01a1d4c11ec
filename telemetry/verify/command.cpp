// SPDX-License-Identifier: MIT
#include "telemetry/verify/command.hpp"

#include <iostream>
#include <string_view>

#include "telemetry/base/exit_status.hpp"
#include "telemetry/recorded/arguments.hpp"
#include "telemetry/verify/verify.hpp"

namespace telemetry {

namespace {

constexpr std::string_view usage = R"(Usage: ebpf_telemetry verify FILE...
Says of each run whether all is there that it gave to an output, what it reports as lost, and what came again.

  FILE  the lines of JSON of one output (--output-config), oldest file first, also compressed by gzip or
        zstd; - is standard input

Exit status: 0 nothing is missing, as far as checkpoints reach, but what runs report as lost; 1 something is,
or a line is cut or not of this program; 2 wrong arguments or files.
)";

} // namespace

int verify_command(std::span<const char* const> given) {
    constexpr const char* name = "verify";
    const RecordedArguments arguments = parse_recorded(given, name, {});
    if (arguments.help) {
        std::cout << usage;
        return std::cout.flush() ? exit_ok : exit_output;
    }
    if (arguments.files.empty())
        refuse_arguments(name, "verify takes files of recorded events");
    const bool is_whole = verify_files(arguments.files, std::cout);
    if (!std::cout.flush())
        return exit_output;
    return is_whole ? exit_ok : exit_fault;
}

} // namespace telemetry
