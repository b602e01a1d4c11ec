// SPDX-License-Identifier: LGPL-2.1
// A path knows the vfsmount inside of a struct mount. Its start is known by the pointers to
// parents: they go to starts, so they are the same distance before each parent's vfsmount.
#include "loader/src/discovery/steps.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

namespace ebpf_loader::discovery {
namespace {

constexpr uint64_t before = 128; ///< bytes read in front of a vfsmount
constexpr size_t behind = 192;   ///< and from its start on

struct Mounted {
    uint64_t mount;  ///< its vfsmount
    uint64_t parent; ///< its parent's
    uint64_t point;  ///< dentry that it covers
    uint64_t root;   ///< its root's dentry
    Block around = {};
};

/// Mounts a file system in memory over a directory of the scratch directory.
Mounted mount_at(Setup& s, const std::string& path) {
    s.worker.must("making a directory", SYS_mkdirat, as_argument(AT_FDCWD), s.worker.text(path), 0755);
    const Opened covered = s.opened(s.open(path, O_RDONLY | O_DIRECTORY));
    s.worker.must("mounting", SYS_mount, s.worker.text("none"), s.worker.text(path), s.worker.text("tmpfs"),
                  MS_NOSUID | MS_NODEV, s.worker.text("mode=0755"));
    const Opened root = s.opened(s.open(path, O_RDONLY | O_DIRECTORY));
    return {.mount = root.mount, .parent = covered.mount, .point = covered.dentry, .root = root.dentry};
}

/// mount.mnt and mount.mnt_parent.
struct Start {
    uint32_t distance, parent;
};

std::vector<Start> find_starts(const std::vector<Mounted>& mounts) {
    std::vector<Start> found;
    for (uint64_t at = 0; at + 8 <= before + behind; at += 8) {
        // From `at` to the start of the structure that the pointer there leads to.
        const uint64_t distance = mounts[0].parent - mounts[0].around.at<uint64_t>(at);
        const bool same = std::all_of(mounts.begin(), mounts.end(), [&](const Mounted& m) {
            return m.parent - m.around.at<uint64_t>(at) == distance;
        });
        if (same && distance <= before && distance + at >= before)
            found.push_back({static_cast<uint32_t>(distance), static_cast<uint32_t>(distance + at - before)});
    }
    return found;
}

} // namespace

void discover_mounts(Setup& s) {
    std::vector<Mounted> mounts = {mount_at(s, s.in_scratch("mount"))};
    mounts.push_back(mount_at(s, s.in_scratch("mount/inner")));
    mounts.push_back(mount_at(s, s.in_scratch("mount/inner/innermost")));
    mounts.push_back(mount_at(s, s.in_scratch("second mount")));
    std::vector<Observation> roots;
    for (Mounted& mounted : mounts)
        mounted.around = s.memory.read(mounted.mount - before, before + behind);
    std::vector<Block> own;
    for (const Opened* o : {&s.folder, &s.bound, &s.top})
        own.push_back(s.memory.read(o->mount, behind));
    for (const Mounted& mounted : mounts)
        own.push_back(s.memory.read(mounted.mount, behind));
    const uint64_t root_dentries[] = {s.top.dentry,   s.folder.dentry, s.top.dentry,  mounts[0].root,
                                      mounts[1].root, mounts[2].root,  mounts[3].root};
    for (size_t i = 0; i < own.size(); i++)
        roots.push_back({&own[i], root_dentries[i]});
    s.found.settle("vfsmount.mnt_root", places<uint64_t>(roots));

    const auto starts = find_starts(mounts);
    s.found.settle("mount.mnt", column(starts, &Start::distance));
    s.found.settle("mount.mnt_parent", column(starts, &Start::parent));
    std::vector<Block> whole;
    for (const Mounted& mounted : mounts)
        whole.push_back(s.memory.read(mounted.mount - s.found["mount.mnt"], behind));
    std::vector<Observation> points;
    for (size_t i = 0; i < whole.size(); i++)
        points.push_back({&whole[i], mounts[i].point});
    s.found.settle("mount.mnt_mountpoint", places<uint64_t>(points));
}

} // namespace ebpf_loader::discovery
