// SPDX-License-Identifier: MIT
#include "telemetry/app/outputs.hpp"

#include <algorithm>

#include "telemetry/base/log.hpp"

namespace telemetry {

Outputs::Outputs(const std::vector<Destination>& destinations, const SinkContext& context) {
    for (const Destination& destination : destinations)
        outputs_.push_back(
            {destination.kind, destination.name(), destination.kind->open(destination.target, context)});
}

std::vector<const Format*> Outputs::own_formats() const {
    std::vector<const Format*> formats;
    for (const Output& output : outputs_)
        if (output.kind->own_format && !std::ranges::count(formats, output.kind->own_format))
            formats.push_back(output.kind->own_format);
    return formats;
}

void Outputs::write(std::string_view lines, uint64_t events) {
    events_ += events;
    write_to(nullptr, lines, events);
}

void Outputs::write_own(const Format& format, std::string_view lines, uint64_t events) {
    write_to(&format, lines, events);
}

void Outputs::write_to(const Format* own_format, std::string_view lines, uint64_t events) {
    for (Output& output : outputs_)
        if (output.kind->own_format == own_format)
            output.sink->write(lines, events);
}

void Outputs::flush() {
    for (Output& output : outputs_)
        output.sink->flush();
}

void Outputs::finish() {
    for (Output& output : outputs_) {
        output.sink->finish();
        if (events_ != 0 && output.sink->lost() >= events_ && !output.sink->broken() && !output.is_reported) {
            output.is_reported = true;
            log(LogLevel::error,
                output.name + ": no event was written: " + std::string(output.sink->error()));
        }
    }
}

bool Outputs::reopen() {
    bool any = false;
    for (Output& output : outputs_) {
        if (!output.sink->can_reopen())
            continue;
        any = true;
        if (output.sink->reopen())
            log(LogLevel::info, output.name + ": reopened");
        else
            log(LogLevel::error, output.name + ": not reopened: " + std::string(output.sink->error()));
    }
    return any;
}

std::vector<std::string> Outputs::files() const {
    std::vector<std::string> files;
    for (const Output& output : outputs_)
        if (output.sink->can_reopen())
            files.emplace_back(output.sink->path());
    return files;
}

bool Outputs::usable() {
    for (Output& output : outputs_)
        if (output.sink->broken() && !output.is_reported) {
            output.is_reported = true;
            log(LogLevel::error, output.name + ": failed, nothing more is written to it: " +
                                     std::string(output.sink->error()));
        }
    return outputs_.empty() || !std::ranges::all_of(outputs_, &Output::is_reported);
}

std::vector<OutputReport> Outputs::reports() const {
    std::vector<OutputReport> reports;
    for (const Output& output : outputs_)
        reports.push_back({output.name, output.kind->cause, output.sink->lost(), output.sink->error(),
                           output.sink->queued_bytes()});
    return reports;
}

} // namespace telemetry
