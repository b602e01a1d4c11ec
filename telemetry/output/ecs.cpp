// SPDX-License-Identifier: MIT
#include "telemetry/output/ecs.hpp"

#include <algorithm>
#include <fcntl.h>
#include <iterator>
#include <netinet/in.h>
#include <sys/stat.h>
#include <vector>

#include <ebpf_loader/constants.hpp>

namespace telemetry {
namespace {

struct Row {
    std::string_view call;
    EcsClass is;
};

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

constexpr Row rows[] = {
    {"execve", process_start},
    {"execveat", process_start},
    {"fork", process_start},
    {"vfork", process_start},
    {"clone", process_start},
    {"clone3", process_start},
    {"exit", process_end},
    {"exit_group", process_end},
    {"kill", process_change},
    {"tkill", process_change},
    {"tgkill", process_change},
    {"rt_sigqueueinfo", process_change},
    {"rt_tgsigqueueinfo", process_change},
    {"pidfd_send_signal", process_change},
    {"process_vm_writev", process_change},
    {"process_madvise", process_change},
    {"setuid", process_change},
    {"setgid", process_change},
    {"setreuid", process_change},
    {"setregid", process_change},
    {"setresuid", process_change},
    {"setresgid", process_change},
    {"setfsuid", process_change},
    {"setfsgid", process_change},
    {"setgroups", process_change},
    {"setpgid", process_change},
    {"setsid", process_change},
    {"setns", process_change},
    {"unshare", process_change},
    {"capset", process_change},
    {"prctl", process_change},
    {"seccomp", process_change},
    {"personality", process_change},
    {"prlimit64", process_change},
    {"setrlimit", process_change},
    {"chroot", process_change},
    {"chdir", process_change},
    {"fchdir", process_change},
    {"ptrace", process_access},
    {"process_vm_readv", process_access},
    {"pidfd_open", process_access},
    {"pidfd_getfd", process_access},
    {"open", file_access}, // or more, see ecs_open_type()
    {"openat", file_access},
    {"openat2", file_access},
    {"open_by_handle_at", file_access},
    {"read", file_access},
    {"readv", file_access},
    {"pread64", file_access},
    {"preadv", file_access},
    {"preadv2", file_access},
    {"readlink", file_access},
    {"readlinkat", file_access},
    {"getdents", file_access},
    {"getdents64", file_access},
    {"access", file_access},
    {"faccessat", file_access},
    {"faccessat2", file_access},
    {"stat", file_access},
    {"lstat", file_access},
    {"fstat", file_access},
    {"newfstatat", file_access},
    {"statx", file_access},
    {"getxattr", file_access},
    {"lgetxattr", file_access},
    {"fgetxattr", file_access},
    {"getxattrat", file_access},
    {"listxattr", file_access},
    {"llistxattr", file_access},
    {"flistxattr", file_access},
    {"listxattrat", file_access},
    {"write", file_change},
    {"writev", file_change},
    {"pwrite64", file_change},
    {"pwritev", file_change},
    {"pwritev2", file_change},
    {"sendfile", file_change},
    {"copy_file_range", file_change},
    {"truncate", file_change},
    {"ftruncate", file_change},
    {"fallocate", file_change},
    {"rename", file_change},
    {"renameat", file_change},
    {"renameat2", file_change},
    {"chmod", file_change},
    {"fchmod", file_change},
    {"fchmodat", file_change},
    {"fchmodat2", file_change},
    {"chown", file_change},
    {"lchown", file_change},
    {"fchown", file_change},
    {"fchownat", file_change},
    {"utime", file_change},
    {"utimes", file_change},
    {"futimesat", file_change},
    {"utimensat", file_change},
    {"setxattr", file_change},
    {"lsetxattr", file_change},
    {"fsetxattr", file_change},
    {"setxattrat", file_change},
    {"removexattr", file_change},
    {"lremovexattr", file_change},
    {"fremovexattr", file_change},
    {"removexattrat", file_change},
    {"creat", file_creation},
    {"mkdir", file_creation},
    {"mkdirat", file_creation},
    {"mknod", file_creation},
    {"mknodat", file_creation},
    {"link", file_creation},
    {"linkat", file_creation},
    {"symlink", file_creation},
    {"symlinkat", file_creation},
    {"memfd_create", file_creation},
    {"memfd_secret", file_creation},
    {"unlink", file_deletion},
    {"unlinkat", file_deletion},
    {"rmdir", file_deletion},
    {"connect", connection_start},
    {"accept", connection_start},
    {"accept4", connection_start},
    {"shutdown", connection_end},
    {"sendto", connection},
    {"sendmsg", connection},
    {"sendmmsg", connection},
    {"recvfrom", connection},
    {"recvmsg", connection},
    {"recvmmsg", connection},
    {"socket", network_info},
    {"socketpair", network_info},
    {"socketcall", network_info},
    {"bind", network_info},
    {"listen", network_info},
    {"getsockname", network_info},
    {"getpeername", network_info},
    {"setsockopt", network_info},
    {"getsockopt", network_info},
    {"init_module", driver_start},
    {"finit_module", driver_start},
    {"delete_module", driver_end},
    {"mount", configuration},
    {"umount", configuration},
    {"umount2", configuration},
    {"move_mount", configuration},
    {"open_tree_attr", configuration},
    {"mount_setattr", configuration},
    {"fsconfig", configuration},
    {"pivot_root", configuration},
    {"swapon", configuration},
    {"swapoff", configuration},
    {"sethostname", configuration},
    {"setdomainname", configuration},
    {"settimeofday", configuration},
    {"clock_settime", configuration},
    {"stime", configuration},
    {"acct", configuration},
    {"quotactl", configuration},
    {"quotactl_fd", configuration},
    {"reboot", configuration},
    {"kexec_load", configuration},
    {"kexec_file_load", configuration},
};

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

EcsClass ecs_class(std::string_view call) {
    const auto found = std::ranges::find(rows, call, &Row::call);
    return found == std::end(rows) ? api : found->is;
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

int open_flags_argument(std::string_view call) {
    if (call == "open")
        return 1;
    return call == "openat" ? 2 : -1; // openat2 has them in memory
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
