// SPDX-License-Identifier: MIT
#include "imds/app/reporter.hpp"

#include <cstdlib>
#include <unistd.h>

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
    const bool is_screen_alone = common.screen && common.files.empty() && !common.syslog;
    return is_screen_alone && !(no_colour && *no_colour) && isatty(STDOUT_FILENO);
}

std::unique_ptr<DatadogSink> open_datadog(const TrackerOptions& options) {
    if (!options.datadog)
        return nullptr;
    DatadogOptions datadog = datadog_options([](const char* name) { return std::getenv(name); });
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    datadog.host = host;
    datadog.tags = std::string("scrubbed:") + (options.unsafe ? "false" : "true") +
                   ",version:" + command_line::version();
    return make_datadog_sink(datadog);
}

} // namespace

ImdsReporter::ImdsReporter(const TrackerOptions& options)
    : options_(options), outputs_(options.common), datadog_(open_datadog(options)) {
    if (options.unsafe)
        log(LogLevel::warning, "--unsafe: bodies and URLs are shown with the secrets in them");
}

void ImdsReporter::begin(const FormatContext& context) {
    ImdsFormatOptions format;
    format.context = context;
    format.users = std::make_shared<const UserNames>("/etc/passwd");
    format.colour = wants_colour(options_);
    if (options_.unsafe)
        format.unsafe = UnsafeView::because_the_user_asked_for_it();
    formatter_ = make_imds_formatter(*options_.common.format, format);
    if (datadog_ && options_.common.format != &json_format)
        datadog_formatter_ = make_imds_json_formatter(format);
}

void ImdsReporter::put(const ImdsEvent& event) {
    summary_.count(event);
    const size_t begin = lines_.size();
    formatter_->format(event, lines_);
    if (datadog_formatter_)
        datadog_formatter_->format(event, datadog_lines_);
    else if (datadog_)
        datadog_lines_.append(lines_, begin);
    ++lines_events_;
    ++events_;
    if (lines_.size() >= lines_bytes)
        hand_over();
}

void ImdsReporter::put_lines(std::string_view lines) {
    lines_.append(lines);
}

void ImdsReporter::hand_over() {
    if (datadog_ && !datadog_lines_.empty())
        datadog_->write(datadog_lines_, lines_events_);
    if (!lines_.empty())
        outputs_.write(lines_, lines_events_);
    datadog_lines_.clear();
    lines_.clear();
    lines_events_ = 0;
}

void ImdsReporter::finish() {
    hand_over();
    outputs_.finish();
    if (datadog_)
        datadog_->finish();
}

std::vector<OutputReport> ImdsReporter::reports() const {
    std::vector<OutputReport> reports = outputs_.reports();
    if (datadog_)
        reports.push_back({"datadog", "output_datadog", datadog_->lost(), datadog_->error()});
    return reports;
}

} // namespace telemetry::imds
