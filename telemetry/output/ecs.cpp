// SPDX-License-Identifier: MIT
#include "telemetry/output/ecs.hpp"

#include <algorithm>
#include <fcntl.h>
#include <iterator>
#include <netinet/in.h>
#include <sys/stat.h>
#include <vector>

#include <ebpf_loader/constants.hpp>

#include "telemetry/event/structure.hpp"

namespace telemetry {
namespace {

constexpr std::string_view process = "\"process\"", file = "\"file\"", network = "\"network\"";
constexpr std::string_view start = "\"start\"", change = "\"change\"", info = "\"info\"", end = "\"end\"";
constexpr std::string_view access = "\"access\"", creation = "\"creation\"", deletion = "\"deletion\"";
constexpr std::string_view connection = "\"connection\"", connection_start = "\"connection\",\"start\"";

constexpr int64_t first_restart = -512;
constexpr std::string_view restart_names[] = {"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
                                              "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK"}; // from there down

/// By number; empty where there is none. Of two names for one number, the first of the table.
std::vector<std::string_view> errno_names() {
    std::vector<std::string_view> names;
    for (const ebpf_loader::Constant& constant : ebpf_loader::constants_of("errno")) {
        if (names.size() <= constant.value)
            names.resize(constant.value + 1);
        if (names[constant.value].empty())
            names[constant.value] = constant.name;
    }
    return names;
}

} // namespace

EcsClass ecs_class(ebpf_loader::EventClass event_class) {
    using ebpf_loader::EventClass;
    switch (event_class) {
    case EventClass::process_exec:
        return {"exec", process, start};
    case EventClass::process_fork:
        return {"fork", process, start};
    case EventClass::process_change:
        return {"", process, change};
    case EventClass::user_change:
        return {"uid_change", process, change};
    case EventClass::group_change:
        return {"gid_change", process, change};
    case EventClass::session_change:
        return {"session_id_change", process, change};
    case EventClass::process_access:
        return {"", process, access};
    case EventClass::process_end:
        return {"end", process, end};
    case EventClass::file_open: // or more, see what_open_did()
        return {"open", file, access};
    case EventClass::file_access:
        return {"", file, access};
    case EventClass::file_change:
        return {"modification", file, change};
    case EventClass::file_attributes:
        return {"attributes_modified", file, change};
    case EventClass::file_rename:
        return {"rename", file, change};
    case EventClass::file_creation:
        return {"creation", file, creation};
    case EventClass::file_deletion:
        return {"deletion", file, deletion};
    case EventClass::connection:
        return {"", network, connection};
    case EventClass::connection_attempt:
        return {"connection_attempted", network, connection_start};
    case EventClass::connection_accept:
        return {"connection_accepted", network, connection_start};
    case EventClass::connection_end:
        return {"", network, R"("connection","end")"};
    case EventClass::network_info:
        return {"", network, info};
    case EventClass::driver_start: // the schema's process rules look for it too
        return {"load_module", R"("driver","process")", start};
    case EventClass::driver_end:
        return {"unload_module", "\"driver\"", end};
    case EventClass::configuration:
        return {"", "\"configuration\"", change};
    case EventClass::api:
        break;
    }
    return {"", "\"api\"", info};
}

EcsClass ecs_class(const ebpf_loader::SyscallRow& call) {
    const auto names_file = [](const ebpf_loader::Argument& argument) {
        return argument.kind == ebpf_loader::ArgKind::path;
    };
    EcsClass is = ecs_class(call.event_class);
    if (call.event_class == ebpf_loader::EventClass::file_creation &&
        std::none_of(call.argument, call.argument + call.arguments, names_file))
        is.action = {};
    return is;
}

EcsClass ecs_class_of_failure(ebpf_loader::EventClass event_class) {
    EcsClass is = ecs_class(event_class);
    if (event_class == ebpf_loader::EventClass::connection_attempt)
        return is;
    is.action = {};
    if (is.type == connection_start)
        is.type = connection;
    else if (is.type != access && is.type != connection)
        is.type = info;
    return is;
}

EcsClass ecs_class(ebt_record_kind kind) {
    switch (kind) {
    case EBT_FORK:
        return {"fork", process, start};
    case EBT_EXEC:
        return {"exec", process, start};
    case EBT_EXIT:
        return {"end", process, end};
    default:
        return {"", "\"api\"", info};
    }
}

OpenFlags open_flags_of(const ebpf_loader::SyscallRow& call) {
    OpenFlags where;
    for (int i = 0; i < call.arguments; ++i) {
        if (call.argument[i].kind == ebpf_loader::ArgKind::flags)
            return {.argument = i};
        if (call.argument[i].kind == ebpf_loader::ArgKind::mode) // creat
            where.implied = O_CREAT | O_WRONLY | O_TRUNC;
    }
    return where;
}

namespace {

bool has_created(const Event& event) {
    for (size_t i = 0; i < event.paths && i < event.path.size(); ++i)
        if (event.path[i].created)
            return true;
    return false;
}

} // namespace

Opened what_open_did(const Event& event, const OpenFlags& where) {
    constexpr uint64_t new_file = O_CREAT | O_EXCL, no_name = O_TMPFILE & ~O_DIRECTORY;
    uint64_t flags = where.argument < 0 ? member_of(event, "flags").value_or(where.implied)
                                        : event.args[static_cast<size_t>(where.argument)];
    if (event.missing & EBT_MISSING_ARGS)
        flags = 0;
    if (flags & O_PATH) // with which the kernel takes no notice of these
        return Opened::for_reading;
    if ((flags & new_file) == new_file || (flags & no_name) || has_created(event))
        return Opened::created;
    if (flags & O_TRUNC)
        return Opened::truncated;
    return (flags & O_ACCMODE) != O_RDONLY ? Opened::for_writing : Opened::for_reading;
}

EcsClass ecs_class(Opened opened) {
    switch (opened) {
    case Opened::created:
        return {"creation", file, creation};
    case Opened::truncated:
        return {"modification", file, change};
    case Opened::for_writing:
        return {"open", file, change};
    default:
        return {"open", file, access};
    }
}

Outcome outcome_of(const Event& event) {
    if (event.kind == EBT_EXIT)
        return event.ret == 0 ? Outcome::success : Outcome::failure;
    if (event.kind != EBT_SYSCALL)
        return Outcome::success;
    if (!event.returns || event.interrupted || event.unproven() || is_pending(event.ret))
        return Outcome::unknown;
    return event.success() ? Outcome::success : Outcome::failure;
}

std::string_view ecs_file_type(uint32_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "dir";
    case S_IFLNK:
        return "symlink";
    case S_IFCHR:
        return "char_device";
    case S_IFBLK:
        return "block_device";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return {};
    }
}

std::string_view ecs_transport(uint8_t protocol) {
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "ipv6-icmp";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_DCCP:
        return "dccp";
    case IPPROTO_UDPLITE:
        return "udplite";
    default:
        return {};
    }
}

std::string_view error_name(int64_t result) {
    const int64_t restart = first_restart - result;
    if (restart >= 0 && restart < std::ssize(restart_names))
        return restart_names[restart];
    static const std::vector<std::string_view> names = errno_names();
    const bool known = result < 0 && result > -std::ssize(names);
    return known ? names[static_cast<size_t>(-result)] : std::string_view();
}

} // namespace telemetry
