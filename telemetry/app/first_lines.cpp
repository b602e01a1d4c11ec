// SPDX-License-Identifier: MIT
#include "telemetry/app/first_lines.hpp"

#include <unistd.h>

#include "telemetry/base/escape.hpp"
#include "telemetry/base/terminal.hpp"

namespace telemetry {

namespace {

std::string shown(const std::string& text) {
    return in_quotes(text, 200);
}

/// Where the rules are that report programs and connections alone: beside the program's sources, or
/// installed.
std::string narrow_rules() {
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof(program));
    std::string folder(program, length > 0 ? static_cast<size_t>(length) : 0);
    for (int i = 0; i < 2; ++i) // of the program, and the one above it
        folder.resize(std::min(folder.rfind('/'), folder.size()));
    for (const char* below : {"/rules", "/share/ebpf_telemetry/rules"})
        if (std::string file = folder + below + "/minimal.rules"; access(file.c_str(), R_OK) == 0)
            return file;
    return "minimal.rules";
}

std::string destinations_of(const Options& options) {
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (options.top)
        add("counted on this screen");
    for (const Destination& output : options.outputs) {
        const std::string_view format =
            output.kind->own_format ? output.kind->own_format->name : options.format->name;
        const std::string name =
            output.kind->may_be_terminal ? (is_terminal() ? "this screen" : "standard output")
            : output.target.empty()      ? std::string(output.kind->name)
                                         : std::string(output.kind->name) + " " + shown(output.target);
        add(name + " as " + std::string(format));
    }
    for (const OutputSettings& output : options.configured)
        add("output " + shown(output.name) + " as " + std::string(output.format->name));
    return text.empty() ? "nowhere: they are counted alone" : text;
}

} // namespace

std::string first_lines(const Options& options, size_t rules) {
    if (options.silent || options.log_level > LogLevel::info || !is_error_terminal())
        return {};
    const std::string what = options.rules ? "what the rules of " + shown(*options.rules) + " select"
                                           : "programs run, connections, changes to what is trusted, secrets "
                                             "read, privileges used";
    return "Reported: " + what + " (" + std::to_string(rules) + " rules; --explain prints them)\n" +
           "Goes to: " + destinations_of(options) + "\n" + "Too much: -r " + narrow_rules() +
           ", or --top to see who makes it; Ctrl-C ends, and prints the balance\n";
}

} // namespace telemetry
