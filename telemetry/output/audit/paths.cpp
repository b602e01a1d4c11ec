// SPDX-License-Identifier: MIT
#include "telemetry/output/audit/paths.hpp"

#include <algorithm>
#include <iterator>

#include "telemetry/event/facts.hpp"

namespace telemetry {
namespace {

using ebpf_loader::EventClass;

constexpr uint64_t rename_exchange = 2;

/// Both names are there before and after.
bool exchanges(const Event& event) {
    return event.call->name == "renameat2" && (event.args[4] & rename_exchange);
}

} // namespace

std::string_view audit_name_type(const Event& event, size_t index) {
    const PathField& path = event.path[index];
    const bool is_last = index + 1 == event.paths;
    if (!path.known() || is_free_text(event, path))
        return "UNKNOWN";
    if (!event.call || event.kind != EBT_SYSCALL)
        return "NORMAL";
    if (!event.success())
        return path.has_inode ? "NORMAL" : "UNKNOWN";
    if (path.created)
        return "CREATE";
    switch (event.call->event_class) {
    case EventClass::file_creation:
        return is_last ? "CREATE" : "NORMAL";
    case EventClass::file_deletion:
        return is_last ? "DELETE" : "NORMAL";
    case EventClass::file_rename:
        if (exchanges(event))
            return "NORMAL";
        return is_last ? "CREATE" : "DELETE";
    default:
        return "NORMAL";
    }
}

int uring_operation(std::string_view call) {
    struct Operation {
        std::string_view call;
        int number;
    };
    static constexpr Operation all[] = {
        {"sendmsg", 9},   {"connect", 16}, {"openat", 18},    {"renameat", 35}, {"renameat2", 35},
        {"unlinkat", 36}, {"mkdirat", 37}, {"symlinkat", 38}, {"linkat", 39},   {"bind", 56},
    };
    const auto* const found = std::ranges::find(all, call, &Operation::call);
    return found == std::end(all) ? -1 : found->number;
}

} // namespace telemetry
