// SPDX-License-Identifier: MIT
#include "telemetry/app/activity_report.hpp"

#include "telemetry/activity/document.hpp"
#include "telemetry/base/signals.hpp"
#include "telemetry/sink/diagnostics.hpp"

namespace telemetry {

ActivityReport::ActivityReport(const Options& options, std::shared_ptr<const AccountFiles> accounts)
    : options_(options), rules_file_(options.rules.value_or("built-in rules")),
      counter_(std::move(accounts)) {}

size_t ActivityReport::most_bytes(const Options& options) {
    if (options.top)
        return top::Live::most_bytes;
    if (!options.summary)
        return 0;
    return options.summary_every ? 2 * Activity::most_bytes : Activity::most_bytes;
}

void ActivityReport::begin(const std::string& node) {
    begin_ = interval_begin_ = Clock::now();
    if (options_.summary_every) {
        total_.emplace();
        next_ = begin_ + *options_.summary_every;
    }
    if (!options_.top)
        return;
    live_ = std::make_unique<top::Live>(top::ShowOptions{
        .title = options_.program + " --top: " + node + ", " + rules_file_, .rules_file = rules_file_});
    start_log(options_.log_level, false, options_.program,
              [this](std::string_view line) { live_->note(std::string(line.substr(0, line.find('\n')))); });
}

Activity& ActivityReport::activity() {
    if (live_)
        return live_->activity();
    return recent_ ? *recent_ : recent_.emplace();
}

void ActivityReport::count(const Event& event, const rules::ChosenRule& rule, uint64_t bytes) {
    counter_.count(event, rule, bytes, activity());
}

void ActivityReport::turn(Formatter& formatter) {
    if (live_) {
        live_->offer();
        if (live_->is_ended())
            signals::ask_end();
        return;
    }
    if (const auto now = Clock::now(); now >= next_)
        end_interval(formatter, now);
}

void ActivityReport::end_interval(Formatter& formatter, Clock::time_point now) {
    Activity& recent = activity();
    print(formatter, recent, interval_begin_);
    total_->add(recent);
    recent.clear();
    interval_begin_ = now;
    next_ = now + *options_.summary_every;
}

void ActivityReport::print(Formatter& formatter, const Activity& activity, Clock::time_point since) const {
    if (options_.silent)
        return;
    const std::chrono::duration<double> time = Clock::now() - since;
    std::string text;
    formatter.format(ActivityDocument(activity, time.count(), rules_file_), text);
    Diagnostics::standard_error().put(text);
}

void ActivityReport::finish(Formatter& formatter) {
    close_screen();
    if (!options_.summary)
        return;
    if (total_)
        total_->add(activity());
    print(formatter, total_ ? *total_ : activity(), begin_);
}

/// And what was logged meanwhile is printed.
void ActivityReport::close_screen() {
    if (!live_)
        return;
    const std::vector<std::string> lines = live_->close();
    Diagnostics& diagnostics = Diagnostics::standard_error();
    start_log(options_.log_level, options_.silent, options_.program,
              [&](std::string_view line) { diagnostics.put(line); });
    for (const std::string& line : lines)
        if (!options_.silent)
            diagnostics.put(line + "\n");
    live_.reset();
}

} // namespace telemetry
