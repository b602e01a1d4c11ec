// SPDX-License-Identifier: LGPL-2.1
// What the kernel side reads in one piece where it has no instructions to read each member on its own.
#include <ebpf_loader/offsets.hpp>

#include <algorithm>

namespace ebpf_loader {
namespace {

/// What stands side by side on every kernel but those built with randomised structures:
/// the sum of the second row's offsets is so much above the first row's, where that is known.
struct Neighbours {
    const char* first; ///< null: the start of the structure
    std::vector<const char*> second;
    uint32_t distance;
};

const std::vector<Neighbours>& neighbours() {
    static const std::vector<Neighbours> all = {
        {"dentry.d_parent", {"dentry.d_name"}, 8},
        {"dentry.d_hash_pprev", {"dentry.d_parent"}, 8},
        {nullptr, {"qstr.len"}, 4},
        {nullptr, {"qstr.name"}, 8},
        {"mount.mnt_parent", {"mount.mnt_mountpoint"}, 8},
        {"mount.mnt_parent", {"mount.mnt", "vfsmount.mnt_root"}, 16},
        {nullptr, {"path.mnt"}, 0},
        {nullptr, {"path.dentry"}, 8},
        {nullptr, {"fdtable.max_fds"}, 0},
        {nullptr, {"fdtable.fd"}, 8},
    };
    return all;
}

/// What begins with one member and ends with another, so many bytes above it at most, with others between.
struct Group {
    const char* first; ///< null: the start of the structure
    const char* last;
    std::vector<const char*> between;
    uint32_t most = 248; ///< WINDOW in kern/base/scratch.h without the last member
};

const std::vector<Group>& groups() {
    static const std::vector<Group> all = {
        {"task_struct.real_parent", "task_struct.group_leader", {}},
        {"task_struct.loginuid",
         "task_struct.self_exec_id",
         {"task_struct.sessionid", "task_struct.seccomp_mode"}},
        {"task_struct.cred", "task_struct.files", {"task_struct.fs"}},
        {"task_struct.cred", "task_struct.nsproxy", {"task_struct.fs", "task_struct.files"}},
        {"fs_struct.root", "fs_struct.pwd", {}},
        {"fs_struct.users", "fs_struct.pwd", {"fs_struct.root"}},
        // with struct table_view of kern/lib/capture/file.h behind it
        {"files_struct.count", "files_struct.fdt", {}, 232},
        {"inode.i_mode", "inode.i_ino", {"inode.i_uid", "inode.i_gid", "inode.i_sb"}},
        // FILE_HEAD in kern/lib/capture/file.h without the member
        {nullptr, "file.f_path", {}, 112},
        {nullptr, "file.f_inode", {}, 120},
        {nullptr, "file.f_mode", {}, 124},
    };
    return all;
}

void find_apart(const Offsets& offsets, std::vector<std::string>& found) {
    const auto value = [&](const char* name) { return offsets.get(*Offsets::find(name)).value_or(0); };
    for (const Neighbours& pair : neighbours()) {
        if (pair.first && !offsets.get(*Offsets::find(pair.first)))
            continue;
        const uint32_t expected = (pair.first ? value(pair.first) : 0) + pair.distance;
        uint32_t sum = 0;
        std::string names;
        for (const char* name : pair.second) {
            sum += value(name);
            names += (names.empty() ? "" : " + ") + std::string(name);
        }
        if (sum != expected)
            found.push_back(
                names + " = " + std::to_string(sum) + " is not " + std::to_string(pair.distance) +
                (pair.first ? std::string(" above ") + pair.first + " = " + std::to_string(value(pair.first))
                            : ""));
    }
}

/// Groups whose first or last member the kernel lacks are read otherwise.
void find_wide(const Offsets& offsets, std::vector<std::string>& found) {
    const auto value = [&](const char* name) { return offsets.get(*Offsets::find(name)); };
    for (const Group& group : groups()) {
        const auto first = group.first ? value(group.first) : 0, last = value(group.last);
        if (!first || !last)
            continue;
        if (*last < *first || *last - *first > group.most)
            found.push_back(std::string(group.last) + " = " + std::to_string(*last) + " is not at most " +
                            std::to_string(group.most) + " above " +
                            (group.first ? std::string(group.first) + " = " + std::to_string(*first)
                                         : "the start of its structure"));
        for (const char* name : group.between)
            if (const auto middle = value(name); middle && (*middle < *first || *middle > *last))
                found.push_back(std::string(name) + " = " + std::to_string(*middle) + " is not between " +
                                group.first + " and " + group.last);
    }
}

} // namespace

std::vector<std::string> Offsets::scattered() const {
    std::vector<std::string> found;
    find_apart(*this, found);
    find_wide(*this, found);
    return found;
}

} // namespace ebpf_loader
