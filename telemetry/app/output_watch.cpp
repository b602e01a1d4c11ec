// SPDX-License-Identifier: MIT
#include "telemetry/app/output_watch.hpp"

#include <string>
#include <utility>

#include "telemetry/base/log.hpp"

namespace telemetry {

namespace {

/// What the far end said; without a word from it, the causes that the output counts.
std::string reason_of(const OutputReport& report) {
    std::string reason(report.error);
    if (reason.empty() && report.delivery)
        for (const auto& [cause, events] : report.delivery->lost)
            reason += (reason.empty() ? "" : ", ") + std::string(cause);
    return reason;
}

} // namespace

void OutputWatch::look(std::span<const OutputReport> reports, Clock::time_point now) {
    for (const OutputReport& report : reports)
        look(outputs_[std::string(report.name)], report, now);
}

void OutputWatch::look(Output& output, const OutputReport& report, Clock::time_point now) {
    const std::string name(report.name);
    if (report.lost > output.lost) {
        output.lost = report.lost;
        output.last_loss = now;
        if (std::exchange(output.is_losing, true) && now - output.last_line < between_lines)
            return;
        output.last_line = now;
        const uint64_t more = output.lost - std::exchange(output.logged, output.lost);
        log(LogLevel::error, name + ": " + std::to_string(more) + " events lost: " + reason_of(report));
    } else if (output.is_losing && now - output.last_loss >= calm) {
        output.is_losing = false;
        output.logged = output.lost;
        log(LogLevel::info,
            name + ": takes events again; " + std::to_string(output.lost) + " were lost in all");
    }
}

} // namespace telemetry
