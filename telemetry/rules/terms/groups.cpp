// SPDX-License-Identifier: MIT
#include "telemetry/rules/terms/groups.hpp"

#include <algorithm>

namespace telemetry::rules {

bool is_open(std::string_view call) {
    return call == "open" || call == "openat" || call == "openat2";
}

bool Group::has(std::string_view call) const {
    return (opens && is_open(call)) || std::find(calls.begin(), calls.end(), call) != calls.end();
}

/// The kernel's include/asm-generic/audit_{read,write,dir_write,change_attr}.h as of Linux 7.2, with what its
/// audit_match_perm() adds: opens by their access mode, and the calls that execute.
std::span<const Group> groups() {
    static const std::vector<Group> all = {
        {"@read",
         {"readlink", "readlinkat", "quotactl", "listxattr", "llistxattr", "flistxattr", "listxattrat",
          "getxattr", "lgetxattr", "fgetxattr", "getxattrat"},
         OpenFor::reading,
         "opens for reading, and calls that read links and extended attributes"},
        {"@write",
         {"rename", "renameat", "renameat2", "mkdir",      "mkdirat",   "rmdir",       "creat",     "link",
          "linkat", "unlink",   "unlinkat",  "symlink",    "symlinkat", "mknod",       "mknodat",   "acct",
          "swapon", "quotactl", "truncate",  "truncate64", "ftruncate", "ftruncate64", "fallocate", "bind"},
         OpenFor::writing,
         "opens for writing, and calls that make, remove, rename, link, truncate"},
        {"@attr",
         {"chmod",         "fchmod",    "fchmodat",   "fchmodat2",   "chown",        "lchown",
          "fchown",        "fchownat",  "chown32",    "lchown32",    "fchown32",     "setxattr",
          "lsetxattr",     "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr",
          "removexattrat", "link",      "linkat"},
         {},
         "calls that change mode, owner or extended attributes, or add a link"},
        {"@exec", {"execve", "execveat"}, {}, "calls that execute"},
    };
    return all;
}

const Group* find_group(std::string_view name) {
    const auto all = groups();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Group& group) { return group.name == name; });
    return found == all.end() ? nullptr : &*found;
}

} // namespace telemetry::rules
