// SPDX-License-Identifier: LGPL-2.1
#include <chrono>
#include <iterator>

#include <ebpf_loader/discovery.hpp>
#include <ebpf_loader/error.hpp>

#include "loader/src/base/libbpf_quiet.hpp"
#include "loader/src/base/privileges.hpp"
#include "loader/src/base/procfs.hpp"
#include "loader/src/base/tracing/tracefs.hpp"
#include "loader/src/discovery/steps.hpp"

namespace ebpf_loader {
namespace {

using namespace discovery;

struct Step {
    const char* subject;
    void (*run)(Setup&);
};

constexpr Step steps[] = {
    {"tasks", discover_tasks},
    {"the kernel stack", discover_kernel_stack},
    {"directories", discover_folders},
    {"descriptors", discover_descriptors},
    {"names", discover_names},
    {"mounts", discover_mounts},
    {"inodes", discover_inodes},
    {"namespaces", discover_namespaces},
    {"memory", discover_memory},
    {"credentials", discover_credentials},
    {"audit ids", discover_audit_ids},
    {"threads", discover_threads},
    {"the end of processes", discover_exit},
    {"terminals", discover_terminal},
    {"sockets", discover_sockets},
    {"network namespaces", discover_network},
    {"names of Unix sockets", discover_unix_names},
};

constexpr int most_attempts = 3;

using Log = std::function<void(std::string_view)>;

/// Tells how far it is, where it takes long: on an emulated machine that may be minutes.
class Progress {
  public:
    explicit Progress(const Log& log) : log_(log) {}

    void begin(size_t number, const char* subject) {
        constexpr auto quiet = std::chrono::seconds(2);
        const auto now = std::chrono::steady_clock::now();
        if (!log_ || now - told_ < quiet)
            return;
        told_ = now;
        log_("observing the kernel's offsets, step " + std::to_string(number) + " of " +
             std::to_string(std::size(steps)) + ": " + subject);
    }

  private:
    const Log& log_;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

void attempt(const std::string& tracefs, const KernelMemory& memory, FoundOffsets& found,
             Progress& progress) {
    found.begin_attempt();
    Setup setup(tracefs, memory, found);
    size_t number = 0;
    for (const Step& step : steps) {
        progress.begin(++number, step.subject);
        try {
            step.run(setup);
        } catch (const Unobservable& reason) {
            found.step_failed(std::string("observing ") + step.subject + ": " + reason.what());
        }
    }
}

} // namespace

Discovery observe_offsets(const std::function<void(std::string_view)>& log) {
    if (const std::string missing = missing_capabilities(); !missing.empty())
        throw Error(ErrorCode::privileges, "not allowed to discover the kernel's offsets: " + missing);
    require_proc();
    const LibbpfQuiet quiet;
    const std::string tracefs = ensure_tracefs();
    const KernelMemory memory(tracefs);
    FoundOffsets found;
    Progress progress(log);
    for (int i = 0; i < most_attempts && !found.is_complete(); i++) {
        if (i != 0 && log)
            log("discovery of the kernel's offsets: not certain yet, so it is repeated: " +
                found.finish().refused.front());
        attempt(tracefs, memory, found, progress);
    }
    return found.finish();
}

Offsets discover_offsets(const std::function<void(std::string_view)>& log) {
    const Discovery observed = observe_offsets(log);
    if (observed.offsets.problems().empty())
        return observed.offsets;
    std::string message = "The kernel's offsets could not be discovered with certainty:";
    for (const std::string& refused : observed.refused)
        message += "\n  " + refused;
    for (const std::string& problem : observed.offsets.problems())
        message += "\n  " + problem;
    throw Error(ErrorCode::offsets, message, ErrorCause::not_discovered);
}

std::vector<std::string> contradictions(const Offsets& claimed, const Discovery& observed) {
    std::vector<std::string> found;
    for (size_t row = 0; row < offset_rows().size(); row++) {
        const OffsetRow& names = offset_rows()[row];
        const auto seen = observed.offsets.get(row), said = claimed.get(row);
        if (!seen || seen == said)
            continue;
        found.push_back(std::string(names.structure) + "." + std::string(names.member) + " is at " +
                        std::to_string(*seen) + ", not " + (said ? "at " + std::to_string(*said) : "absent"));
    }
    return found;
}

} // namespace ebpf_loader
