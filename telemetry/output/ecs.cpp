// SPDX-License-Identifier: MIT
#include "telemetry/output/ecs.hpp"

#include <fcntl.h>
#include <iterator>
#include <netinet/in.h>
#include <sys/stat.h>
#include <vector>

#include <ebpf_loader/constants.hpp>

namespace telemetry {
namespace {

constexpr EcsClass process_start = {"\"process\"", "\"start\""};
constexpr EcsClass process_change = {"\"process\"", "\"change\""};
constexpr EcsClass process_access = {"\"process\"", "\"access\""};
constexpr EcsClass process_end = {"\"process\"", "\"end\""};
constexpr EcsClass file_access = {"\"file\"", "\"access\""};
constexpr EcsClass file_change = {"\"file\"", "\"change\""};
constexpr EcsClass file_creation = {"\"file\"", "\"creation\""};
constexpr EcsClass file_deletion = {"\"file\"", "\"deletion\""};
constexpr EcsClass connection = {"\"network\"", "\"connection\""};
constexpr EcsClass connection_start = {"\"network\"", "\"connection\",\"start\""};
constexpr EcsClass connection_end = {"\"network\"", "\"connection\",\"end\""};
constexpr EcsClass network_info = {"\"network\"", "\"info\""};
constexpr EcsClass driver_start = {"\"driver\"", "\"start\""};
constexpr EcsClass driver_end = {"\"driver\"", "\"end\""};
constexpr EcsClass configuration = {"\"configuration\"", "\"change\""};
constexpr EcsClass api = {"\"api\"", "\"info\""};

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
    case EventClass::process_start:
        return process_start;
    case EventClass::process_change:
        return process_change;
    case EventClass::process_access:
        return process_access;
    case EventClass::process_end:
        return process_end;
    case EventClass::file_open: // or more, see ecs_open_type()
    case EventClass::file_access:
        return file_access;
    case EventClass::file_change:
        return file_change;
    case EventClass::file_creation:
        return file_creation;
    case EventClass::file_deletion:
        return file_deletion;
    case EventClass::connection:
        return connection;
    case EventClass::connection_start:
        return connection_start;
    case EventClass::connection_end:
        return connection_end;
    case EventClass::network_info:
        return network_info;
    case EventClass::driver_start:
        return driver_start;
    case EventClass::driver_end:
        return driver_end;
    case EventClass::configuration:
        return configuration;
    case EventClass::api:
        return api;
    }
    return api;
}

EcsClass ecs_class(ebt_record_kind kind) {
    switch (kind) {
    case EBT_FORK:
    case EBT_EXEC:
        return process_start;
    case EBT_EXIT:
        return process_end;
    default:
        return api;
    }
}

int open_flags_argument(const ebpf_loader::SyscallRow& call) {
    if (call.event_class != ebpf_loader::EventClass::file_open)
        return -1;
    for (int i = 0; i < call.arguments; ++i)
        if (call.argument[i].kind == ebpf_loader::ArgKind::flags)
            return i;
    return -1;
}

std::string_view ecs_open_type(uint64_t flags, bool success) {
    constexpr uint64_t new_file = O_CREAT | O_EXCL;
    if (success && (flags & new_file) == new_file)
        return file_creation.type; // otherwise it may have been there
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    return writes ? file_change.type : file_access.type;
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
