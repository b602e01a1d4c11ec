// SPDX-License-Identifier: MIT
#pragma once
#include <cerrno>
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// The version of the Elastic Common Schema that the JSON output keeps to.
inline constexpr std::string_view ecs_version = "8.17.0";

/// event.category and event.type of the schema; each as the inside of a JSON array.
struct EcsClass {
    std::string_view category;
    std::string_view type;
};

/// Of a system call; what is about nothing in particular is "api", "info".
EcsClass ecs_class(ebpf_loader::EventClass event_class);
EcsClass ecs_class(ebt_record_kind kind);

/// Does what open() does to the file depend on its flags? Their argument then, else -1.
int open_flags_argument(const ebpf_loader::SyscallRow& call);
/// event.type of an open() call with these flags.
std::string_view ecs_open_type(uint64_t flags, bool success);

/// file.type of an st_mode; empty when it has no type.
std::string_view ecs_file_type(uint32_t mode);
/// network.transport of an IP protocol; empty when it has no name.
std::string_view ecs_transport(uint8_t protocol);

/// "ENOENT", "ERESTARTSYS", ...: the name of a call's negative result; empty when it has none.
std::string_view error_name(int64_t result);
/// Results that leave open how it ends: a connection under way, and those that the caller never
/// sees, with which the kernel makes the call again or turns it into EINTR.
constexpr bool is_pending(int64_t result) {
    return result == -EINPROGRESS || (result <= -512 && result >= -516);
}

} // namespace telemetry
