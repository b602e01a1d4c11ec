// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include <ebpf_loader/engine.hpp>

#include "telemetry/cli/options.hpp"
#include "telemetry/delivery/output.hpp"
#include "telemetry/health/metrics.hpp"
#include "telemetry/reload/aside_job.hpp"
#include "telemetry/reload/rules_in_force.hpp"

namespace telemetry {

/// What a reload puts in force.
struct NewSetup {
    Options options;
    Rules rules;
    ebpf_loader::Selection selection;
    NewOutputs outputs;
};

/// Replaces the rules of a run while its hooks stay attached, so that each event is judged by one set of
/// rules and none is missed that both want. The kernel first captures what either set asks for; then, from
/// one moment on, the new set judges; then the kernel captures what that one asks for. Between these steps
/// all hooks that still work by what was so before have to end. Files are read and hooks waited for by
/// another thread.
class Reload {
  public:
    /// `read` is called by another thread, while the rules in force stay as they are. What it throws ends the
    /// reload.
    using Read = std::function<NewSetup()>;

    /// All of them have to outlive it.
    Reload(ebpf_loader::Engine& engine, RulesInForce& rules, Read read);

    /// Where one is under way, another follows.
    void ask() { is_asked_ = true; }
    /// To be called after each Engine::poll(). Returns what was read once its rules are in force, without
    /// them.
    std::optional<NewSetup> step();
    const ReloadCounts& counts() const { return counts_; }

  private:
    struct Done {};
    enum class Phase {
        none,
        reading,   ///< the files
        widening,  ///< waits for hooks that do not know the new selection yet
        changing,  ///< waits for hooks that began while the old rules were in force
        narrowing, ///< waits for hooks that may still let through what neither wants
    };

    void begin();
    bool is_waiting() const;
    void await_hooks(Phase next);
    void widen();
    void change();
    void narrow();
    std::optional<NewSetup> settle();
    void fail(const char* why);

    ebpf_loader::Engine& engine_;
    RulesInForce& rules_;
    const Read read_;
    ReloadCounts counts_;
    bool is_asked_ = false;
    Phase phase_ = Phase::none;
    std::optional<NewSetup> next_;
    std::unique_ptr<AsideJob<NewSetup>> reading_;
    std::unique_ptr<AsideJob<Done>> waiting_;
};

} // namespace telemetry
