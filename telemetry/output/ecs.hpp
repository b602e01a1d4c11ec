// SPDX-License-Identifier: MIT
#pragma once
#include <cerrno>
#include <string_view>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// The version of the Elastic Common Schema that the JSON output keeps to.
inline constexpr std::string_view ecs_version = "8.17.0";

/// How the schema files an event. Category and type are each the inside of a JSON array.
struct EcsClass {
    std::string_view action; ///< as Elastic's own sensor calls it; empty: the call's name
    std::string_view category;
    std::string_view type;
};

/// What is about nothing in particular is "api", "info".
EcsClass ecs_class(ebpf_loader::EventClass event_class);
/// Of a system call that did what it is for. What makes a file without a name (memfd_create, memfd_secret) is
/// called as the call.
EcsClass ecs_class(const ebpf_loader::SyscallRow& call);
/// Of one that failed: it changed nothing, so its action is its name and its type no change. An
/// attempt to connect stays one.
EcsClass ecs_class_of_failure(ebpf_loader::EventClass event_class);
EcsClass ecs_class(ebt_record_kind kind);

/// Where a call that opens a file has its O_* flags.
struct OpenFlags {
    int argument = -1;    ///< index; -1: none has them
    uint64_t implied = 0; ///< those of a call without such an argument; 0: not known
};
OpenFlags open_flags_of(const ebpf_loader::SyscallRow& call);
/// What a call that opened a file did to it, as far as its flags, and what is known of the file, say.
enum class Opened : uint8_t { for_reading, for_writing, truncated, created };
Opened what_open_did(const Event& event, const OpenFlags& where);
EcsClass ecs_class(Opened opened);

/// Of a process that ends as the rules have it: a success with status 0. Unknown is how a call ended that
/// does not return, may be made again, is under way, or may never have run.
enum class Outcome : uint8_t { success, failure, unknown };
Outcome outcome_of(const Event& event);

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
