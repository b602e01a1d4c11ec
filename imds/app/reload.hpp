// SPDX-License-Identifier: MIT
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include <ebpf_loader/engine.hpp>

#include "imds/app/options.hpp"
#include "imds/app/pipeline.hpp"
#include "telemetry/health/metrics.hpp"
#include "telemetry/reload/aside_job.hpp"

namespace telemetry::imds {

/// What a reload puts in force.
struct NewTracking {
    TrackerOptions options;
    Endpoints endpoints;
    ebpf_loader::Selection selection;
};

/// Replaces the endpoints of a run while its hooks stay attached. The kernel first captures transfers with
/// the old and the new ones; then, from one moment on, the new ones judge; then the kernel forgets those that
/// are gone. Files are read and hooks waited for by another thread.
class TrackerReload {
  public:
    /// What it throws ends the reload. Called by another thread.
    using Read = std::function<NewTracking()>;

    /// All of them have to outlive it.
    TrackerReload(ebpf_loader::Engine& engine, ImdsPipeline& pipeline, Read read);

    /// Where one is under way, another follows.
    void ask() { is_asked_ = true; }
    /// To be called after each Engine::poll(). Returns the options that were read once they are in force.
    std::optional<TrackerOptions> step();
    const ReloadCounts& counts() const { return counts_; }

  private:
    struct Done {};
    enum class Phase {
        none,
        reading,  ///< the files
        widening, ///< waits for hooks that do not know the new endpoints yet
        changing, ///< waits for hooks that began while the old ones were in force
    };

    void begin();
    void await_hooks(Phase next);
    void widen();
    std::optional<TrackerOptions> settle();
    void fail(const char* why);

    ebpf_loader::Engine& engine_;
    ImdsPipeline& pipeline_;
    const Read read_;
    ReloadCounts counts_;
    bool is_asked_ = false;
    Phase phase_ = Phase::none;
    std::optional<NewTracking> next_;
    std::unique_ptr<AsideJob<NewTracking>> reading_;
    std::unique_ptr<AsideJob<Done>> waiting_;
};

} // namespace telemetry::imds
