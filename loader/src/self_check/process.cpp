// SPDX-License-Identifier: LGPL-2.1
#include "loader/src/self_check/process.hpp"

#include "loader/src/arch/machine.hpp"
#include "loader/src/base/procfs.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <sys/stat.h>

namespace ebpf_loader::self_check {
namespace {

/// The fields behind each part of the header that could not be read.
void check_missing(uint32_t missing, Mismatches& mismatches) {
    struct Part {
        uint32_t bit;
        const char* fields;
    };
    constexpr Part parts[] = {
        {EBT_MISSING_ARGS, "task_struct.stack"},
        {EBT_MISSING_PPID, "task_struct.real_parent, task_struct.tgid"},
        {EBT_MISSING_START_TIME, "task_struct.group_leader, task_struct.start_boottime"},
        {EBT_MISSING_AUDIT, "task_struct.loginuid, task_struct.sessionid"},
        {EBT_MISSING_CREDENTIALS, "task_struct.cred, cred.uid"},
        {EBT_MISSING_ABI, "task_struct.status"},
        {EBT_MISSING_EXEC_ID, "task_struct.self_exec_id"},
    };
    for (const Part& part : parts)
        if (missing & part.bit)
            mismatches.add(part.fields, "unreadable memory", "a value");
}

void check_credentials(const ebt_header& h, const OwnProcess& own, Mismatches& mismatches) {
    const uint32_t seen[] = {h.uid, h.euid, h.suid, h.fsuid, h.gid, h.egid, h.sgid, h.fsgid};
    const char* const names[] = {"uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid"};
    if (h.missing & EBT_MISSING_CREDENTIALS)
        return; // is a mismatch already
    for (size_t i = 0; i < std::size(seen); i++)
        mismatches.expect(std::string("task_struct.cred, cred.uid (") + names[i] + ")", seen[i], own.ids[i]);
}

void check_identity(const ebt_header& h, const OwnProcess& own, Mismatches& mismatches) {
    check_missing(h.missing, mismatches);
    mismatches.expect("task_struct.status (system call ABI)", h.abi, EBT_NATIVE_ABI);
    if (own.initial_pid_namespace)
        mismatches.expect("task_struct.real_parent, task_struct.tgid", h.ppid, own.ppid);
    // /proc counts clock ticks.
    mismatches.expect("task_struct.group_leader, task_struct.start_boottime", h.start_time / own.ns_per_tick,
                      own.start_ticks);
    if (own.initial_user_namespace) {
        check_credentials(h, own, mismatches);
        if (own.auid)
            mismatches.expect("task_struct.loginuid", h.auid, *own.auid);
        if (own.ses)
            mismatches.expect("task_struct.sessionid", h.ses, *own.ses);
    }
    mismatches.expect("comm", std::string(h.comm, strnlen(h.comm, sizeof(h.comm))), own.comm);
}

void check_exe(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_EXE);
    mismatches.expect("task_struct.mm, mm_struct.exe_file, file.f_path, path.mnt, path.dentry",
                      field && field->head.length ? view.path(*field) : "nothing",
                      from_namespace_root(view, own.exe));
    if (field && !own.exe_deleted && field->head.flags & EBT_DELETED)
        mismatches.add("dentry.d_hash_pprev", "a removed executable", "one that is there");
}

void check_argv(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const std::string fields = "task_struct.mm, mm_struct.arg_start, mm_struct.arg_end";
    const auto field = view.find(EBT_FIELD_IMAGE_ARGV);
    if (!field || (field->head.status != EBT_OK && field->head.status != EBT_TRUNCATED)) {
        if (own.argv_bytes.value_or(own.argv.size()) != 0)
            mismatches.add(fields, "no command line", in_quotes(own.argv));
        return;
    }
    const size_t common = std::min(field->content.size(), own.argv.size());
    mismatches.expect(fields, std::string(field->content.substr(0, common)), own.argv.substr(0, common));
    if (own.argv_bytes)
        mismatches.expect(fields + " (length)", field->head.original, *own.argv_bytes);
}

void check_tty(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const std::string fields = "task_struct.signal, signal_struct.tty, tty_struct.name";
    const auto tty = view.find(EBT_FIELD_TTY);
    if (own.has_tty != tty.has_value())
        mismatches.add(fields, tty ? "a terminal" : "no terminal", own.has_tty ? "a terminal" : "none");
    else if (tty && !own.tty.empty())
        mismatches.expect(fields, std::string(tty->content), own.tty);
}

uint32_t own_namespace(const char* name) {
    struct stat info {};
    return stat((std::string("/proc/self/ns/") + name).c_str(), &info) == 0
               ? static_cast<uint32_t>(info.st_ino)
               : 0;
}

/// A number that is 0 is not known: it goes into no event.
void check_namespaces(const RecordView& view, Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_NAMESPACES);
    ebt_namespaces seen{};
    if (!field || field->content.size() < sizeof(seen))
        return;
    std::memcpy(&seen, field->content.data(), sizeof(seen));
    const auto check = [&](const char* fields, uint32_t number, const char* name) {
        const uint32_t own = own_namespace(name);
        if (number && own)
            mismatches.expect(fields, number, own);
    };
    check("task_struct.nsproxy, nsproxy.mnt_ns, mnt_namespace.inum", seen.mnt, "mnt");
    check("task_struct.nsproxy, nsproxy.pid_ns_for_children, pid_namespace.inum", seen.pid,
          "pid_for_children");
    check("cred.user_ns, user_namespace.inum", seen.user, "user");
}

/// /proc shows the path from the root of a cgroup namespace, so from above it there may be more.
void check_cgroup(const RecordView& view, Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_CGROUP);
    if (!field || field->head.arg != EBT_CGROUP_UNIFIED || field->head.status != EBT_OK)
        return;
    const std::string own = own_unified_cgroup(), seen = view.path(*field);
    if (own != "/" && !own.starts_with("/..") && !own.empty() && !seen.ends_with(own))
        mismatches.add(
            "task_struct.cgroups, css_set.dfl_cgrp, cgroup.kn, kernfs_node.parent, kernfs_node.name",
            in_quotes(seen), in_quotes(own));
}

void check_capabilities(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const auto field = view.find(EBT_FIELD_CAPABILITIES);
    ebt_capabilities seen{};
    if (!field || field->head.status != EBT_OK || field->content.size() < sizeof(seen))
        return;
    std::memcpy(&seen, field->content.data(), sizeof(seen));
    mismatches.expect("task_struct.cred, cred.cap_permitted", seen.permitted, own.permitted);
    mismatches.expect("task_struct.cred, cred.cap_permitted (cap_effective)", seen.effective, own.effective);
}

void check_cwd(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const auto cwd = view.find(EBT_FIELD_CWD);
    const std::string seen = cwd ? view.path(*cwd) : "nothing";
    if (seen != own.cwd) // it may lie outside of a chroot
        mismatches.expect("task_struct.fs, fs_struct.pwd, path.mnt, path.dentry", seen,
                          from_namespace_root(view, own.cwd));
}

/// A wrong root would make every other path look wrong, so it is reported first.
void check_root(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    const auto root = view.find(EBT_FIELD_ROOT);
    const auto cwd = view.find(EBT_FIELD_CWD), exe = view.find(EBT_FIELD_EXE);
    const bool from_top = (cwd && own.cwd != "/" && view.path(*cwd) == own.cwd) ||
                          (exe && !own.exe.empty() && view.path(*exe) == own.exe);
    if (root && view.path(*root) != "/" && from_top)
        mismatches.add("task_struct.fs, fs_struct.root, path.mnt, path.dentry",
                       "a root directory " + in_quotes(view.path(*root)),
                       "the one that the other paths start from");
}

} // namespace

std::string from_namespace_root(const RecordView& view, const std::string& path) {
    const auto root = view.find(EBT_FIELD_ROOT); // only there when we are chrooted
    const std::string prefix = root ? view.path(*root) : "/";
    if (prefix == "/")
        return path;
    return prefix + (path == "/" ? "" : path);
}

void check_process(const RecordView& view, const OwnProcess& own, Mismatches& mismatches) {
    check_identity(view.header(), own, mismatches);
    check_root(view, own, mismatches);
    check_exe(view, own, mismatches);
    check_argv(view, own, mismatches);
    check_tty(view, own, mismatches);
    check_namespaces(view, mismatches);
    check_capabilities(view, own, mismatches);
    check_cgroup(view, mismatches);
    check_cwd(view, own, mismatches);
}

} // namespace ebpf_loader::self_check
