// SPDX-License-Identifier: MIT
#include "telemetry/reload/reload.hpp"

#include <string>
#include <system_error>
#include <utility>

#include "telemetry/base/log.hpp"
#include "telemetry/base/notify.hpp"

namespace telemetry {

Reload::Reload(ebpf_loader::Engine& engine, RulesInForce& rules, Read read)
    : engine_(engine), rules_(rules), read_(std::move(read)) {}

std::optional<NewSetup> Reload::step() {
    if (is_waiting())
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
        change();
        break;
    case Phase::changing:
        narrow();
        break;
    case Phase::narrowing:
        return settle();
    }
    return std::nullopt;
}

bool Reload::is_waiting() const {
    return (reading_ && !reading_->is_done()) || (waiting_ && !waiting_->is_done());
}

void Reload::begin() {
    notify::send_reloading();
    try {
        reading_ = std::make_unique<AsideJob<NewSetup>>(read_);
        phase_ = Phase::reading;
    } catch (const std::system_error& error) { // no thread
        fail(error.what());
    }
}

void Reload::await_hooks(Phase next) {
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

void Reload::widen() {
    try {
        next_ = std::exchange(reading_, nullptr)->take();
        if (const std::string lack = engine_.cannot_reselect(next_->selection); !lack.empty())
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                     "these rules need a new start, since they need what is not attached: " +
                                         lack);
        rules_.begin_change();
        engine_.widen(next_->selection);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
    await_hooks(Phase::widening);
}

void Reload::change() {
    rules_.change(std::move(next_->rules), engine_.record_clock());
    await_hooks(Phase::changing);
}

/// All records from before the change are in the buffers by now, and read before the next reload begins.
void Reload::narrow() {
    engine_.narrow();
    await_hooks(Phase::narrowing);
}

std::optional<NewSetup> Reload::settle() {
    rules_.settle(engine_.record_clock());
    waiting_.reset();
    phase_ = Phase::none;
    ++counts_.done;
    notify::send("READY=1\nSTATUS=reporting");
    return std::exchange(next_, std::nullopt);
}

void Reload::fail(const char* why) {
    ++counts_.failed;
    log(LogLevel::error, std::string("not reloaded, all stays as it was: ") + why);
    reading_.reset(); // where the kernel took half of it, the rules go on to test all of each event
    next_.reset();
    phase_ = Phase::none;
    notify::send("READY=1\nSTATUS=reporting; the last reload failed, see the log");
}

} // namespace telemetry
