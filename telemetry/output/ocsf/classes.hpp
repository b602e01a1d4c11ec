// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// The version of the Open Cybersecurity Schema Framework that the output keeps to.
inline constexpr std::string_view ocsf_version = "1.8.0";

/// The classes of the schema that events are filed under, by their class_uid.
enum class OcsfClass : uint16_t {
    base = 0,
    file_system = 1001,
    kernel = 1003,
    module = 1005,
    process = 1007,
    authorize_session = 3003,
    network = 4001,
};

/// What happened, in a class's words: its activity_id, 99 for what none of them says.
struct OcsfKind {
    OcsfClass of = OcsfClass::kernel;
    uint8_t activity = 4;
    bool operator==(const OcsfKind&) const = default;
};
inline constexpr uint8_t ocsf_other = 99;

/// The numbers of activities, by class.
namespace ocsf {
enum FileActivity : uint8_t {
    file_create = 1,
    file_read = 2,
    file_update = 3,
    file_delete = 4,
    file_rename = 5,
    file_set_attributes = 6,
    file_set_security = 7,
    file_get_attributes = 8,
    file_get_security = 9,
    file_mount = 12,
    file_unmount = 13,
    file_open = 14,
};
enum KernelActivity : uint8_t { kernel_invoke = 4 };
enum ModuleActivity : uint8_t { module_load = 1, module_unload = 2 };
enum ProcessActivity : uint8_t {
    process_launch = 1,
    process_terminate = 2,
    process_open = 3,
    process_inject = 4,
    process_set_user = 5,
};
enum SessionActivity : uint8_t { session_groups = 2 };
enum NetworkActivity : uint8_t {
    network_open = 1,
    network_close = 2,
    network_fail = 4,
    network_refuse = 5,
    network_traffic = 6,
    network_listen = 7,
};
} // namespace ocsf

/// What an event is filed under. Where the object of a class is not known (a file without a path, a
/// connection without an address) it is the invocation of a system call.
OcsfKind ocsf_kind(const Event& event, bool has_address);

/// The process that a call names by its number, where that is a number of the machine's; 0: none.
uint32_t ocsf_target(const Event& event);

/// class_uid to type_name: members of the event, the same for all of a kind.
std::string ocsf_classification(OcsfKind kind, std::string_view other_activity);

} // namespace telemetry
