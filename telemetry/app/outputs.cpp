// SPDX-License-Identifier: MIT
#include "telemetry/app/outputs.hpp"

#include <algorithm>
#include <unistd.h>

namespace telemetry {

Outputs::Outputs(const Options& options) {
    for (const std::string& path : options.files) {
        auto sink = make_file_sink(path);
        FileSink* file = sink.get();
        outputs_.push_back({"file " + path, "output_file", std::move(sink), file});
    }
    if (options.screen)
        outputs_.push_back({"screen", "output_screen", make_stream_sink(STDOUT_FILENO, "standard output")});
    if (options.syslog)
        outputs_.push_back({"syslog", "output_syslog", make_syslog_sink()});
}

void Outputs::write(std::string_view lines, uint64_t events) {
    events_ += events;
    for (Output& output : outputs_)
        output.sink->write(lines, events);
}

void Outputs::flush() {
    for (Output& output : outputs_)
        output.sink->flush();
}

void Outputs::finish() {
    for (Output& output : outputs_) {
        output.sink->finish();
        if (events_ != 0 && output.sink->lost() >= events_ && !output.sink->broken() && !output.told) {
            output.told = true;
            log(LogLevel::error, output.name + ": took no event: " + std::string(output.sink->error()));
        }
    }
}

bool Outputs::reopen() {
    bool any = false;
    for (Output& output : outputs_) {
        if (!output.file)
            continue;
        any = true;
        if (output.file->reopen())
            log(LogLevel::info, output.name + ": opened anew");
        else
            log(LogLevel::error, output.name + ": not opened anew: " + std::string(output.sink->error()));
    }
    return any;
}

bool Outputs::usable() {
    for (Output& output : outputs_)
        if (output.sink->broken() && !output.told) {
            output.told = true;
            log(LogLevel::error, output.name + ": broken: " + std::string(output.sink->error()));
        }
    return outputs_.empty() || !std::ranges::all_of(outputs_, &Output::told);
}

std::vector<OutputReport> Outputs::reports() const {
    std::vector<OutputReport> reports;
    for (const Output& output : outputs_)
        reports.push_back({output.name, output.cause, output.sink->lost(), output.sink->error()});
    return reports;
}

} // namespace telemetry
