// SPDX-License-Identifier: LGPL-2.1
#include <ebpf_loader/discovery.hpp>
#include <ebpf_loader/error.hpp>

#include "discovery_steps.hpp"
#include "libbpf_quiet.hpp"
#include "privileges.hpp"
#include "tracefs.hpp"

namespace ebpf_loader {
namespace {

struct Step {
    const char* subject;
    void (*run)(Scene&);
};

constexpr Step steps[] = {
    {"tasks", discover_tasks},
    {"the kernel stack", discover_kernel_stack},
    {"directories", discover_folders},
    {"descriptors", discover_descriptors},
    {"names", discover_names},
    {"mounts", discover_mounts},
    {"inodes", discover_inodes},
    {"memory", discover_memory},
    {"credentials", discover_credentials},
    {"audit ids", discover_audit_ids},
    {"threads", discover_threads},
    {"the end of processes", discover_exit},
    {"terminals", discover_terminal},
    {"sockets", discover_sockets},
};

} // namespace

Discovery observe_offsets(const std::function<void(std::string_view)>& log) {
    if (const std::string missing = missing_capabilities(); !missing.empty())
        throw Error(ErrorCode::privileges,
                    "not allowed to discover the kernel's offsets: " + missing + "; run as root (sudo)");
    const LibbpfQuiet quiet;
    const std::string tracefs = ensure_tracefs();
    const Peek peek(tracefs);
    Scene scene(tracefs, peek);
    for (const Step& step : steps) {
        try {
            step.run(scene);
        } catch (const Unobservable& reason) {
            const std::string why = std::string("looking at ") + step.subject + ": " + reason.what();
            scene.found.step_failed(why);
            if (log)
                log("discovery of offsets, " + why);
        }
    }
    return scene.found.finish();
}

Offsets discover_offsets(const std::function<void(std::string_view)>& log) {
    const Discovery discovery = observe_offsets(log);
    if (discovery.offsets.problems().empty())
        return discovery.offsets;
    std::string message = "The kernel's offsets could not be discovered without doubt:";
    for (const std::string& refused : discovery.refused)
        message += "\n  " + refused;
    for (const std::string& problem : discovery.offsets.problems())
        message += "\n  " + problem;
    message += "\nMake a config from the kernel's debug information or headers instead "
               "(see get_offsets/README.md).";
    throw Error(ErrorCode::offsets, message);
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
