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
    const std::lock_guard lock(mutex_);
    if (!sink_)
        return;
    sink_->write(lines, static_cast<uint64_t>(std::ranges::count(lines, '\n')));
    sink_->flush();
}

uint64_t Diagnostics::dropped() const {
    const std::lock_guard lock(mutex_);
    return sink_ ? sink_->lost() : 0;
}

/// Writes what waits. Returns how many lines were dropped before, once, when the reader has taken all.
uint64_t Diagnostics::take_dropped() {
    const std::lock_guard lock(mutex_);
    if (!sink_ || (sink_->is_empty() && sink_->lost() == reported_))
        return 0;
    sink_->flush();
    if (!sink_->is_empty() || sink_->broken())
        return 0;
    return sink_->lost() - std::exchange(reported_, sink_->lost());
}

void Diagnostics::flush() {
    if (const uint64_t more = take_dropped(); more > 0) // the log comes back to put()
        log(LogLevel::warning, "standard error took nothing for a while: " + std::to_string(more) +
                                   " lines of diagnostics were dropped");
}

void Diagnostics::finish() {
    const auto be_patient = [this](std::chrono::milliseconds patience) {
        const std::lock_guard lock(mutex_);
        if (sink_)
            sink_->set_patience(patience);
    };
    be_patient(std::max(least_patience, run_end::at_most(last_patience)));
    flush();
    be_patient({});
}

} // namespace telemetry
