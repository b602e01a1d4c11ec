// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/offsets/unreported.hpp"

#include <initializer_list>
#include <string_view>

namespace ebpf_loader {
namespace {

struct Feature {
    std::string_view what;
    std::initializer_list<std::string_view> rows; ///< it takes all of them
};

/// Rows of kernels without the feature itself (IPv6, audit) are not here: nothing is missed there.
const Feature features[] = {
    {"mnt_ns, the mount namespace", {"task_struct.nsproxy", "nsproxy.mnt_ns", "mnt_namespace.inum"}},
    {"pid_ns, the PID namespace",
     {"task_struct.nsproxy", "nsproxy.pid_ns_for_children", "pid_namespace.inum"}},
    {"user_ns, the user namespace", {"cred.user_ns", "user_namespace.inum"}},
    {"shared, of memory", {"mm_struct.mm_users"}},
    {"shared, of directories", {"fs_struct.users"}},
    {"shared, of descriptors", {"files_struct.count"}},
    {"executed, of calls that a tracer answered", {"task_struct.ptrace"}},
    {"executed, of calls that a seccomp filter answered", {"task_struct.seccomp_mode"}},
    {"the container, of processes that end at once",
     {"task_struct.cgroups", "css_set.dfl_cgrp", "cgroup.kn", "kernfs_node.parent", "kernfs_node.name"}},
    {"the container, of processes that end at once, with cgroups of version 1",
     {"css_set.subsys", "cgroup_subsys_state.cgroup", "cgroup.root"}},
    {"capabilities, of execs", {"cred.cap_permitted"}},
    {"env_vars, where rules ask for variables", {"mm_struct.env_start", "mm_struct.env_end"}},
    {"process.hash, with --hash",
     {"inode.i_size", "inode.i_ctime_sec", "inode.i_ctime_nsec", "super_block.s_dev"}},
    {"the device of files", {"super_block.s_dev"}},
    {"created, of opens that made a file", {"file.f_mode"}},
    {"the names of Unix sockets that listen or accept",
     {"unix_sock.addr", "unix_address.len", "unix_address.name"}},
    {"the script that an exec names, as it names it", {"mm_struct.env_end"}},
    {"the script that an exec names, as the kernel found it",
     {"linux_binprm.file", "linux_binprm.filename", "linux_binprm.interp"}},
};

} // namespace

std::vector<std::string> unreported(const Offsets& offsets) {
    std::vector<std::string> lines;
    for (const Feature& feature : features) {
        std::string unknown;
        for (const std::string_view row : feature.rows)
            if (!offsets.get(*Offsets::find(row)))
                unknown.append(unknown.empty() ? "" : ", ").append(row);
        if (!unknown.empty())
            lines.push_back(std::string(feature.what) + " (" + unknown + ")");
    }
    return lines;
}

} // namespace ebpf_loader
