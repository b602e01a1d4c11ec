// SPDX-License-Identifier: MIT
#include "telemetry/cli/commands.hpp"

#include <string_view>

#include "telemetry/report/command.hpp"
#include "telemetry/top/command.hpp"
#include "telemetry/verify/command.hpp"

namespace telemetry {

namespace {

constexpr Command commands[] = {
#define COMMAND(name, arguments, help) {#name, arguments, help, name##_command},
#include "telemetry/cli/commands.def"
#undef COMMAND
};

} // namespace

const Command* command_of(int argc, const char* const argv[]) {
    for (const Command& command : commands)
        if (argc > 1 && std::string_view(argv[1]) == command.name)
            return &command;
    return nullptr;
}

std::string commands_help() {
    std::string help = "\nWith recorded events (JSON lines, also .gz and .zst), instead of a run:\n";
    for (const Command& command : commands)
        help += std::string("  ebpf_telemetry ") + command.name + " " + command.arguments + "\n      " +
                command.help + "\n";
    return help;
}

} // namespace telemetry
