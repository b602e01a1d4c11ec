// SPDX-License-Identifier: MIT
#include "telemetry/output/ocsf/classes.hpp"

#include <cerrno>
#include <csignal>

#include "telemetry/event/facts.hpp"
#include "telemetry/output/ecs.hpp"
#include "telemetry/output/json/ecs.hpp"
#include "telemetry/output/json/line.hpp"

namespace telemetry {
namespace {

using ebpf_loader::ArgKind;
using ebpf_loader::EventClass;
using namespace ocsf;

constexpr uint32_t first_pid_namespace = 0xEFFFFFFC;
constexpr OcsfKind invocation = {OcsfClass::kernel, kernel_invoke};

constexpr OcsfKind process(uint8_t activity) {
    return {OcsfClass::process, activity};
}
constexpr OcsfKind file(uint8_t activity) {
    return {OcsfClass::file_system, activity};
}
constexpr OcsfKind network(uint8_t activity) {
    return {OcsfClass::network, activity};
}

bool has_file(const Event& event) {
    const PathField* path = files_of(event).file;
    return path && path->known() && !file_name_of(*path).empty();
}

bool is_of(std::string_view name, std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts)
        if (name.find(part) != std::string_view::npos)
            return true;
    return false;
}

OcsfKind opened(const Event& event) {
    if (!event.success())
        return file(file_open);
    switch (what_open_did(event, open_flags_of(*event.call))) {
    case Opened::created:
        return file(file_create);
    case Opened::truncated:
        return file(file_update);
    default:
        return file(file_open);
    }
}

OcsfKind accessed(std::string_view name) {
    if (is_of(name, {"xattr", "acl"}))
        return file(file_get_security);
    if (is_of(name, {"stat", "access", "readlink"}))
        return file(file_get_attributes);
    return file(name == "open_by_handle_at" ? file_open : file_read);
}

OcsfKind file_kind(const Event& event) {
    const std::string_view name = event.call->name;
    switch (event.call->event_class) {
    case EventClass::file_open:
        return opened(event);
    case EventClass::file_access:
        return accessed(name);
    case EventClass::file_attributes:
        return file(is_of(name, {"chmod", "chown", "xattr"}) ? file_set_security : file_set_attributes);
    case EventClass::file_rename:
        return file(file_rename);
    case EventClass::file_creation:
        return file(file_create);
    case EventClass::file_deletion:
        return file(file_delete);
    case EventClass::configuration:
        if (name == "mount" || name == "move_mount")
            return file(file_mount);
        if (name == "umount" || name == "umount2")
            return file(file_unmount);
        return invocation;
    default:
        return file(file_update);
    }
}

OcsfKind network_kind(const Event& event) {
    switch (event.call->event_class) {
    case EventClass::connection_attempt:
        if (event.returns && event.ret == -ECONNREFUSED)
            return network(network_refuse);
        return network(event.success() || is_pending(event.ret) ? network_open : network_fail);
    case EventClass::connection_accept:
        return network(network_open);
    case EventClass::connection_end:
        return network(network_close);
    case EventClass::connection:
        return network(network_traffic);
    default:
        return network(event.call->name == "listen" ? +network_listen : ocsf_other);
    }
}

int signal_of(const Event& event) {
    for (size_t i = 0; i < event.call->arguments; ++i)
        if (event.call->argument[i].kind == ArgKind::signal)
            return static_cast<int>(event.args[i]);
    return 0;
}

/// What one process does to another, or to itself.
OcsfKind process_kind(const Event& event) {
    const std::string_view name = event.call->name;
    const int signal = event.missing & EBT_MISSING_ARGS ? 0 : signal_of(event);
    if (event.call->event_class == EventClass::process_access)
        return ocsf_target(event) ? process(process_open) : invocation;
    if (name == "process_vm_writev")
        return ocsf_target(event) ? process(process_inject) : invocation;
    if (signal)
        return ocsf_target(event)
                   ? process(signal == SIGKILL || signal == SIGTERM ? +process_terminate : ocsf_other)
                   : invocation;
    return process(ocsf_other);
}

struct Names {
    OcsfClass of;
    std::string_view name;
    uint8_t category;
    std::string_view category_name;
    std::array<std::string_view, 15> activities; ///< from 0 on
};
constexpr Names all_names[] = {
    {OcsfClass::base, "Base Event", 0, "Uncategorized", {}},
    {OcsfClass::file_system,
     "File System Activity",
     1,
     "System Activity",
     {"", "Create", "Read", "Update", "Delete", "Rename", "Set Attributes", "Set Security", "Get Attributes",
      "Get Security", "Encrypt", "Decrypt", "Mount", "Unmount", "Open"}},
    {OcsfClass::kernel, "Kernel Activity", 1, "System Activity", {"", "Create", "Read", "Delete", "Invoke"}},
    {OcsfClass::module, "Module Activity", 1, "System Activity", {"", "Load", "Unload", "Invoke"}},
    {OcsfClass::process,
     "Process Activity",
     1,
     "System Activity",
     {"", "Launch", "Terminate", "Open", "Inject", "Set User ID"}},
    {OcsfClass::authorize_session,
     "Authorize Session",
     3,
     "Identity & Access Management",
     {"", "Assign Privileges", "Assign Groups", "Assign Roles"}},
    {OcsfClass::network,
     "Network Activity",
     4,
     "Network Activity",
     {"", "Open", "Close", "Reset", "Fail", "Refuse", "Traffic", "Listen"}},
};

} // namespace

uint32_t ocsf_target(const Event& event) {
    const bool is_machines =
        event.image.namespaces.pid == 0 || event.image.namespaces.pid == first_pid_namespace;
    if (!event.call || (event.missing & EBT_MISSING_ARGS) || !is_machines)
        return 0;
    for (size_t i = 0; i < event.call->arguments; ++i)
        if (event.call->argument[i].kind == ArgKind::pid) {
            const auto pid = static_cast<int32_t>(event.args[i]);
            return pid > 0 ? static_cast<uint32_t>(pid) : 0; // 0 and below: itself, a group, all
        }
    return 0;
}

OcsfKind ocsf_kind(const Event& event, bool has_address) {
    if (event.kind == EBT_FORK || event.kind == EBT_EXEC)
        return process(process_launch);
    if (event.kind == EBT_EXIT)
        return process(process_terminate);
    if (!event.call)
        return invocation;
    switch (event.call->event_class) {
    case EventClass::process_exec:
        return process(process_launch);
    case EventClass::process_fork:
        return event.child_status == Status::ok ? process(process_launch) : invocation;
    case EventClass::process_end:
        return process(process_terminate);
    case EventClass::process_change:
    case EventClass::process_access:
        return process_kind(event);
    case EventClass::session_change:
        return process(ocsf_other);
    case EventClass::user_change:
        return process(process_set_user);
    case EventClass::group_change: { // which groups setgroups sets is not known
        const bool is_known = event.success() && !(event.missing & EBT_MISSING_CREDENTIALS) &&
                              !event.call->name.starts_with("setgroups");
        return is_known ? OcsfKind{OcsfClass::authorize_session, session_groups} : invocation;
    }
    case EventClass::connection:
    case EventClass::connection_attempt:
    case EventClass::connection_accept:
    case EventClass::connection_end:
    case EventClass::network_info:
        return has_address ? network_kind(event) : invocation;
    case EventClass::driver_start:
        return {OcsfClass::module, module_load};
    case EventClass::driver_end:
        return {OcsfClass::module, module_unload};
    case EventClass::api:
        return invocation;
    default:
        return has_file(event) ? file_kind(event) : invocation;
    }
}

std::string ocsf_classification(OcsfKind kind, std::string_view other_activity) {
    const auto uid = static_cast<unsigned>(kind.of);
    for (const Names& names : all_names) {
        if (names.of != kind.of)
            continue;
        const bool is_other = kind.activity == ocsf_other;
        const std::string activity(is_other ? other_activity : names.activities.at(kind.activity));
        return R"("category_uid":)" + std::to_string(names.category) + R"(,"category_name":")" +
               std::string(names.category_name) + R"(","class_uid":)" + std::to_string(uid) +
               R"(,"class_name":")" + std::string(names.name) + R"(","activity_id":)" +
               std::to_string(kind.activity) + R"(,"activity_name":")" + json_escaped(activity) +
               R"(","type_uid":)" + std::to_string(uid * 100 + kind.activity) + R"(,"type_name":")" +
               std::string(names.name) + ": " + (is_other ? "Other" : activity) + '"';
    }
    return {};
}

} // namespace telemetry
