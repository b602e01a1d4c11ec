// SPDX-License-Identifier: MIT
#include "imds/app/reporter.hpp"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include "imds/app/pipeline.hpp"
#include "telemetry/app/engine_setup.hpp"
#include "telemetry/cli/command_line.hpp"

namespace telemetry::imds {
namespace {

constexpr size_t lines_bytes = 64 * 1024;

bool wants_colour(const TrackerOptions& options) {
    const Options& common = options.common;
    switch (options.colour) {
    case TrackerOptions::Colour::always:
        return true;
    case TrackerOptions::Colour::never:
        return false;
    case TrackerOptions::Colour::automatic:
        break;
    }
    const char* no_colour = std::getenv("NO_COLOR");
    const auto shows = [](const Destination& to) { return to.kind->own_format || to.kind->may_be_terminal; };
    const bool is_screen_alone = std::ranges::all_of(common.outputs, shows);
    return is_screen_alone && !(no_colour && *no_colour) && isatty(STDOUT_FILENO);
}

SinkContext sink_context(const TrackerOptions& options) {
    const std::string is_scrubbed = options.unsafe ? "false" : "true";
    return {"scrubbed:" + is_scrubbed + ",version:" + command_line::version()};
}

} // namespace

ImdsReporter::ImdsReporter(const TrackerOptions& options)
    : options_(options), outputs_(options.common.outputs, sink_context(options)) {
    if (options.unsafe)
        log(LogLevel::warning, "--unsafe: bodies and URLs are shown including the secrets in them");
}

void ImdsReporter::begin(const FormatContext& context) {
    ImdsFormatOptions format = format_options(context);
    format.colour = wants_colour(options_);
    if (options_.unsafe)
        format.unsafe = UnsafeView::because_the_user_asked_for_it();
    formatter_ = make_imds_formatter(*options_.common.format, format);
    format.colour = false;
    for (const Format* own : outputs_.own_formats())
        own_.push_back({own, make_imds_formatter(*own, format), {}});
}

void ImdsReporter::put(const ImdsEvent& event) {
    summary_.count(event);
    formatter_->format(event, lines_);
    for (OwnFormat& own : own_)
        own.formatter->format(event, own.lines);
    ++lines_events_;
    if (lines_.size() >= lines_bytes)
        hand_over();
}

void ImdsReporter::put_lines(std::string_view lines) {
    lines_.append(lines);
}

void ImdsReporter::hand_over() {
    for (OwnFormat& own : own_) {
        if (!own.lines.empty())
            outputs_.write_own(*own.format, own.lines, lines_events_);
        own.lines.clear();
    }
    if (!lines_.empty())
        outputs_.write(lines_, lines_events_);
    lines_.clear();
    lines_events_ = 0;
}

void ImdsReporter::finish() {
    hand_over();
    outputs_.finish();
}

} // namespace telemetry::imds
