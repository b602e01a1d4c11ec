// SPDX-License-Identifier: MIT
#include "imds/app/reload.hpp"

#include <string>
#include <system_error>
#include <utility>

#include "telemetry/app/engine_setup.hpp"
#include "telemetry/base/log.hpp"
#include "telemetry/base/notify.hpp"

namespace telemetry::imds {

TrackerReload::TrackerReload(ebpf_loader::Engine& engine, ImdsPipeline& pipeline, Read read)
    : engine_(engine), pipeline_(pipeline), read_(std::move(read)) {}

std::optional<TrackerOptions> TrackerReload::step() {
    if ((reading_ && !reading_->is_done()) || (waiting_ && !waiting_->is_done()))
        return std::nullopt;
    switch (phase_) {
    case Phase::none:
        if (std::exchange(is_asked_, false))
            begin();
        break;
    case Phase::reading:
        widen();
        break;
    case Phase::widening:
        pipeline_.change_endpoints(next_->endpoints, wall_clock_ns());
        await_hooks(Phase::changing);
        break;
    case Phase::changing:
        return settle();
    }
    return std::nullopt;
}

void TrackerReload::begin() {
    notify::send_reloading();
    try {
        reading_ = std::make_unique<AsideJob<NewTracking>>(read_);
        phase_ = Phase::reading;
    } catch (const std::system_error& error) { // no thread
        fail(error.what());
    }
}

void TrackerReload::await_hooks(Phase next) {
    phase_ = next;
    try {
        waiting_ = std::make_unique<AsideJob<Done>>([] {
            ebpf_loader::Engine::await_running_hooks();
            return Done{};
        });
    } catch (const std::system_error&) { // no thread: half way there is no other way
        waiting_.reset();
        ebpf_loader::Engine::await_running_hooks();
    }
}

void TrackerReload::widen() {
    try {
        next_ = std::exchange(reading_, nullptr)->take();
        if (const std::string lack = engine_.cannot_reselect(next_->selection); !lack.empty())
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                     "these endpoints take a new start, since they need " + lack);
        engine_.widen(next_->selection);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
    await_hooks(Phase::widening);
}

std::optional<TrackerOptions> TrackerReload::settle() {
    engine_.narrow();
    waiting_.reset();
    phase_ = Phase::none;
    ++counts_.done;
    notify::send("READY=1\nSTATUS=reporting");
    return std::exchange(next_, std::nullopt)->options;
}

void TrackerReload::fail(const char* why) {
    ++counts_.failed;
    log(LogLevel::error, std::string("not reloaded, all stays as it was: ") + why);
    reading_.reset();
    next_.reset();
    phase_ = Phase::none;
    notify::send("READY=1\nSTATUS=reporting; the last reload failed, see the log");
}

} // namespace telemetry::imds
