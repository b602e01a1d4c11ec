// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/base/tracing/tracefs.hpp"

#include <ebpf_loader/error.hpp>

#include <cerrno>
#include <cstring>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

namespace ebpf_loader {
namespace {

constexpr const char* tracefs_mount = "/sys/kernel/tracing";
constexpr const char* debugfs_mount = "/sys/kernel/debug";
constexpr const char* tracefs_in_debugfs = "/sys/kernel/debug/tracing"; // mounts itself when looked at

bool is_tracefs(const char* folder) {
    struct statfs about {};
    return statfs(folder, &about) == 0 && about.f_type == TRACEFS_MAGIC;
}

} // namespace

std::optional<std::string> find_tracefs() {
    for (const char* folder : {tracefs_mount, tracefs_in_debugfs})
        if (is_tracefs(folder))
            return folder;
    return std::nullopt;
}

std::string ensure_tracefs() {
    if (std::optional<std::string> found = find_tracefs())
        return *found;
    constexpr unsigned long options = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("tracefs", tracefs_mount, "tracefs", options, nullptr) == 0)
        return tracefs_mount;
    const int error = errno;
    if (mount("debugfs", debugfs_mount, "debugfs", options, nullptr) == 0 && is_tracefs(tracefs_in_debugfs))
        return tracefs_in_debugfs;
    throw Error(ErrorCode::tracefs,
                std::string("tracefs is not mounted, and mounting it at ") + tracefs_mount +
                    " failed: " + std::strerror(error) +
                    (error == ENODEV
                         ? ".\nThis kernel was built without tracepoints (CONFIG_FTRACE, CONFIG_TRACING)."
                         : ".\nAs root on the host run: mount -t tracefs tracefs /sys/kernel/tracing"));
}

} // namespace ebpf_loader
