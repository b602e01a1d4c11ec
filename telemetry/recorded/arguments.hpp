// SPDX-License-Identifier: MIT
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace telemetry {

/// What a command that reads recorded files is given: the files, and the value of its one option.
struct RecordedArguments {
    std::vector<std::string> files;
    std::string value; ///< the last one; empty: the option is not there
    bool help = false; ///< by --help or -h
};

/// `command`: its name, as in "ebpf_telemetry COMMAND"; `option`: "--html", say, or empty: it has none;
/// `short_option`: "-f", or empty. Throws ebpf_loader::Error(usage) for another option, or one that lacks its
/// value.
RecordedArguments parse_recorded(std::span<const char* const> given, const std::string& command,
                                 const std::string& option, std::string_view short_option = {});

/// Throws ebpf_loader::Error(usage) that names the command's --help.
[[noreturn]] void refuse_arguments(const std::string& command, const std::string& why);

} // namespace telemetry
