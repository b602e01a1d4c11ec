// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <ebpf_loader/engine.hpp>

#include "telemetry/base/log.hpp"
#include "telemetry/base/notify.hpp"
#include "telemetry/health/metrics.hpp"
#include "telemetry/reload/aside_job.hpp"

namespace telemetry {

/// How one kind of setup replaces another.
template <typename Setup> struct ReloadSteps {
    std::string_view subject; ///< for messages: rules, endpoints
    /// Called by another thread, while what is in force stays as it is. What it throws ends the reload.
    std::function<Setup()> read;
    /// From now on the kernel may capture what the setup in force does not ask for.
    std::function<void()> begin = [] {};
    /// From now on the new setup judges.
    std::function<void(Setup&)> change;
    /// From now on the kernel captures what the new setup asks for.
    std::function<void()> settle = [] {};
};

/// Replaces the setup of a run while its hooks stay attached, so that each event is judged by one setup and
/// none is missed that both want. The kernel first captures what either asks for; then, from one moment on,
/// the new one judges; then the kernel captures what that one asks for. Between these steps all hooks that
/// still work by what was so before have to end. Files are read and hooks waited for by another thread.
/// A Setup has a member `selection`.
template <typename Setup> class Reload {
  public:
    /// The engine has to outlive it.
    Reload(ebpf_loader::Engine& engine, ReloadSteps<Setup> steps)
        : engine_(engine), steps_(std::move(steps)) {}

    /// Where one is under way, another follows.
    void ask() { is_asked_ = true; }
    /// To be called after each Engine::poll(). Returns what was read, as `change` left it, once it is in
    /// force.
    std::optional<Setup> step();
    const ReloadCounts& counts() const { return counts_; }

  private:
    struct Done {};
    enum class Phase {
        none,
        reading,   ///< the files
        widening,  ///< waits for hooks that do not know the new selection yet
        changing,  ///< waits for hooks that began while the old setup was in force
        narrowing, ///< waits for hooks that may still let through what neither wants
    };

    bool is_waiting() const {
        return (reading_ && !reading_->is_done()) || (waiting_ && !waiting_->is_done());
    }
    void begin();
    void widen();
    void await_hooks(Phase next);
    std::optional<Setup> settle();
    void fail(const char* why);

    ebpf_loader::Engine& engine_;
    const ReloadSteps<Setup> steps_;
    ReloadCounts counts_;
    bool is_asked_ = false;
    Phase phase_ = Phase::none;
    std::optional<Setup> next_;
    std::unique_ptr<AsideJob<Setup>> reading_;
    std::unique_ptr<AsideJob<Done>> waiting_;
};

template <typename Setup> std::optional<Setup> Reload<Setup>::step() {
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
        steps_.change(*next_);
        await_hooks(Phase::changing);
        break;
    case Phase::changing: // records from before the change are in the buffers by now, and read before the
                          // next reload
        engine_.narrow();
        await_hooks(Phase::narrowing);
        break;
    case Phase::narrowing:
        return settle();
    }
    return std::nullopt;
}

template <typename Setup> void Reload<Setup>::begin() {
    notify::send_reloading();
    try {
        reading_ = std::make_unique<AsideJob<Setup>>(steps_.read);
        phase_ = Phase::reading;
    } catch (const std::system_error& error) { // no thread
        fail(error.what());
    }
}

template <typename Setup> void Reload<Setup>::widen() {
    try {
        next_ = std::exchange(reading_, nullptr)->take();
        if (const std::string lack = engine_.cannot_reselect(next_->selection); !lack.empty())
            throw ebpf_loader::Error(ebpf_loader::ErrorCode::usage,
                                     "these " + std::string(steps_.subject) +
                                         " need a new start, since they need what is not attached: " + lack);
        steps_.begin();
        engine_.widen(next_->selection);
    } catch (const std::exception& error) {
        return fail(error.what());
    }
    await_hooks(Phase::widening);
}

template <typename Setup> void Reload<Setup>::await_hooks(Phase next) {
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

template <typename Setup> std::optional<Setup> Reload<Setup>::settle() {
    steps_.settle();
    waiting_.reset();
    phase_ = Phase::none;
    ++counts_.done;
    notify::send("READY=1\nSTATUS=reporting");
    return std::exchange(next_, std::nullopt);
}

template <typename Setup> void Reload<Setup>::fail(const char* why) {
    ++counts_.failed;
    log(LogLevel::error, std::string("not reloaded, all stays as it was: ") + why);
    reading_.reset(); // where the kernel took half of it, all of each event goes on being tested
    next_.reset();
    phase_ = Phase::none;
    notify::send("READY=1\nSTATUS=reporting; the last reload failed, see the log");
}

} // namespace telemetry
