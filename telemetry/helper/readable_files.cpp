// SPDX-License-Identifier: MIT
#include "telemetry/helper/readable_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ebpf_loader/unique_fd.hpp>

namespace telemetry {
namespace {

using ebpf_loader::UniqueFd;

/// Links are followed to where they lead when a helper starts. packaging/apparmor lets the services read the
/// first five.
constexpr const char* readable[] = {
    "/etc/resolv.conf", "/etc/hosts",     "/etc/host.conf",    "/etc/nsswitch.conf",
    "/dev/urandom",  // of which c-ares makes the numbers of its questions, which else could be guessed
#ifndef EBT_PORTABLE // modules of name services are loaded, and ask what runs on this machine
    "/etc/gai.conf",    "/etc/services",  "/etc/ld.so.cache",  "/etc/hostname",
    "/etc/machine-id",  "/etc/networks",  "/etc/protocols",    "/lib",
    "/lib32",           "/lib64",         "/usr/lib",          "/usr/lib32",
    "/usr/lib64",       "/usr/local/lib", "/nix/store",        "/gnu/store",
    "/run/systemd",     "/run/nscd",      "/run/avahi-daemon", "/var/cache/nscd",
    "/var/db/nscd",     "/var/lib/sss",   "/proc/sys",         "/proc/net",
#endif
};

/// All that the first version of Landlock knows.
constexpr uint64_t all_access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

bool add(int rules, const char* path) {
    const UniqueFd file(open(path, O_PATH | O_CLOEXEC));
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0)
        return true; // it is not there
    landlock_path_beneath_attr rule{};
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    if (S_ISDIR(status.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    rule.parent_fd = file.get();
    return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

} // namespace

bool keep_files_of_names() {
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = all_access;
    const UniqueFd rules(
        static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0)));
    if (!rules)
        return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM; // a filter above it does not know it
    for (const char* path : readable)
        if (!add(rules.get(), path))
            return false;
    return syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

} // namespace telemetry
