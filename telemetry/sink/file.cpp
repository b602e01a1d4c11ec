// SPDX-License-Identifier: MIT
#include "telemetry/base/refuse.hpp"
#include "telemetry/sink/aside/aside_sink.hpp"
#include "telemetry/sink/sinks.hpp"
#include "telemetry/sink/stream.hpp"

namespace telemetry {

namespace {

constexpr SinkOption file_options[] = {
    {"output,o",
     "append events to FILE instead of printing them; may be given more than once; - is standard output",
     "FILE"},
};

/// The screen's "-" is left to the screen.
std::vector<std::string> file_targets(const SinkArguments& arguments) {
    std::vector<std::string> files;
    for (const std::string& file : arguments.values("output")) {
        if (file.empty())
            refuse("--output takes the name of a file");
        if (file != "-")
            files.push_back(file);
    }
    return files;
}

} // namespace

const SinkKind file_sink = {
    .name = "file",
    .cause = "output_file",
    .options = file_options,
    .targets = file_targets,
    .open = [](const std::string& path, const SinkContext&) { return without_waiting(make_file_sink(path)); },
};

} // namespace telemetry
