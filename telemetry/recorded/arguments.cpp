// SPDX-License-Identifier: MIT
#include "telemetry/recorded/arguments.hpp"

#include <ebpf_loader/error.hpp>

#include "telemetry/base/escape.hpp"

namespace telemetry {

void refuse_arguments(const std::string& command, const std::string& why) {
    throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                             why + "; see ebpf_telemetry " + command + " --help");
}

RecordedArguments parse_recorded(std::span<const char* const> given, const std::string& command,
                                 const std::string& option, std::string_view short_option) {
    const bool has_option = !option.empty();
    const std::string with_value = option + "=";
    RecordedArguments arguments;
    for (size_t i = 0; i < given.size(); ++i) {
        const std::string one = given[i];
        if (one == "--help" || one == "-h")
            arguments.help = true;
        else if (has_option && one.starts_with(with_value))
            arguments.value = one.substr(with_value.size());
        else if (has_option && (one == option || (!short_option.empty() && one == short_option)) &&
                 i + 1 < given.size())
            arguments.value = given[++i];
        else if (one.starts_with('-') && one != "-")
            refuse_arguments(command,
                             command + " has no option " + in_quotes(one) + ", or it lacks its value");
        else
            arguments.files.push_back(one);
    }
    return arguments;
}

} // namespace telemetry
