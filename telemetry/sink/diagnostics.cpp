// SPDX-License-Identifier: MIT
#include "telemetry/sink/diagnostics.hpp"

#include <algorithm>
#include <string>
#include <unistd.h>
#include <utility>

#include <ebpf_loader/error.hpp>

#include "telemetry/base/log.hpp"
#include "telemetry/base/run_end.hpp"

namespace telemetry {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds last_patience = 1s;
/// Left for the last lines when the outputs have used up the time at the end.
constexpr std::chrono::milliseconds least_patience = 100ms;

} // namespace

Diagnostics::Diagnostics(int fd, const StreamOptions& options) {
    try {
        auto sink = std::make_unique<StreamSink>("diagnostics", "", options);
        sink->attach(fd);
        sink_ = std::move(sink);
    } catch (const ebpf_loader::Error&) { // closed: there is nobody to complain to
    }
}

Diagnostics& Diagnostics::standard_error() {
    static Diagnostics diagnostics(STDERR_FILENO);
    return diagnostics;
}

void Diagnostics::put(std::string_view lines) {
    if (!sink_)
        return;
    sink_->write(lines, static_cast<uint64_t>(std::ranges::count(lines, '\n')));
    sink_->flush();
}

void Diagnostics::flush() {
    if (!sink_ || (sink_->is_empty() && dropped() == reported_))
        return;
    sink_->flush();
    if (!sink_->is_empty() || sink_->broken())
        return;
    if (const uint64_t more = dropped() - std::exchange(reported_, dropped()); more > 0)
        log(LogLevel::warning, "standard error took nothing for a while: " + std::to_string(more) +
                                   " lines of diagnostics were dropped");
}

void Diagnostics::finish() {
    if (!sink_)
        return;
    sink_->set_patience(std::max(least_patience, run_end::at_most(last_patience)));
    flush();
    sink_->set_patience({});
}

} // namespace telemetry
