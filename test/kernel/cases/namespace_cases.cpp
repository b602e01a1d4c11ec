// SPDX-License-Identifier: MIT
// Name spaces, mounts and other roots. All of it happens in mount name spaces of the
// cases' own, which end with them.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "test/kernel/subject/numbers.hpp"

namespace kernel_test {

namespace {

constexpr long nr_fsopen = 430, nr_fsconfig = 431; // not among the default rules

/// A mount name space of the process's own, nothing of which is seen outside of it.
bool private_mounts(Process& p) {
    Call own = p.call({"unshare", SYS_unshare}, CLONE_NEWNS);
    if (own.ret() < 0) {
        p.note("unshare: this kernel gives no mount name space");
        return false;
    }
    p.change().exe.text.flags |= LOG_ANY_FOREIGN; // it is in the mount namespace that the process has left
    own.by(p);
    Call all = p.call({"mount", SYS_mount}, "none", "/", 0, MS_REC | MS_PRIVATE, 0);
    all.succeeds().named(0, "none", LOG_RELATIVE).named(1, "/").no_string(2, LOG_UNAVAILABLE);
    // Without it a mount might be seen outside.
    return all.ret() == 0;
}

void mount_tmpfs(Process& p, const std::string& name) {
    const std::string path = p.at(name);
    p.call({"mount", SYS_mount}, "source", path.c_str(), "tmpfs", MS_NOSUID, 0)
        .succeeds()
        .named(0, "source", LOG_RELATIVE)
        .named(1, path)
        .string(2, "tmpfs");
}

/// Paths lead through mount points.
void mount_(Process& p) {
    p.make_folder("a");
    p.make_folder("b");
    if (!private_mounts(p))
        return;
    mount_tmpfs(p, "a");
    p.call({"open", SYS_open}, "a/file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, p.at("a/file"));
    p.make_folder("a/sub");
    p.call({"open", SYS_open}, "a/sub/file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, p.at("a/sub/file"));
    p.call({"mount", SYS_mount}, p.at("a/sub").c_str(), p.at("b").c_str(), 0, MS_BIND, 0)
        .succeeds()
        .named(0, p.at("a/sub"))
        .named(1, p.at("b"))
        .no_string(2, LOG_UNAVAILABLE);
    p.call({"open", SYS_open}, "b/file", O_RDWR).succeeds().opened(0, p.at("b/file"));
    p.call({"open", SYS_open}, "b", O_RDONLY).succeeds().opened(0, p.at("b"));
    p.call({"mount", SYS_mount}, "source", "/no/such", "tmpfs", 0, 0)
        .fails(ENOENT)
        .named(0, "source", LOG_RELATIVE)
        .named(1, "/no/such")
        .string(2, "tmpfs");
    p.call({"umount2", SYS_umount2}, "b", MNT_DETACH).succeeds().named(0, p.at("b"));
    p.call({"umount2", SYS_umount2}, "b", 0).fails(EINVAL).named(0, p.at("b"));
    p.call({"umount2", SYS_umount2}, "/no/such", 0).fails(ENOENT).named(0, "/no/such");
}

/// Mounts upon mounts, one within the other.
void stacked_mounts(Process& p) {
    p.make_folder("a");
    if (!private_mounts(p))
        return;
    std::string path = "a";
    for (int i = 0; i < 10; i++) {
        mount_tmpfs(p, path);
        path += "/sub";
        p.make_folder(path);
    }
    p.call({"open", SYS_open}, (path + "/file").c_str(), O_CREAT | O_RDWR, 0600)
        .succeeds()
        .opened(0, p.at(path + "/file"));
    // Twice in the same place: the lower one is out of sight.
    mount_tmpfs(p, "a");
    p.call({"open", SYS_open}, "a/file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, p.at("a/file"));
}

/// With another root all names start there; the event tells them from the real one.
void chroot_(Process& p) {
    p.make_folder("jail");
    p.make_folder("jail/sub");
    p.call({"chroot", SYS_chroot}, "no").fails(ENOENT).named(0, p.at("no"));
    const long outside =
        p.call({"open", SYS_open}, "jail", O_RDONLY).succeeds().opened(0, p.at("jail")).ret();
    const std::string jail = p.at("jail");
    Call call = p.call({"chroot", SYS_chroot}, jail.c_str());
    p.set_text(p.change().root, jail);
    call.succeeds().by(p).led_to(0, jail);
    Call root = p.call({"chdir", SYS_chdir}, "/sub");
    p.set_text(p.change().cwd, jail + "/sub");
    root.succeeds().by(p).led_to(0, jail + "/sub");
    p.call({"open", SYS_open}, "/sub/file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, jail + "/sub/file");
    p.call({"open", SYS_open}, "file", O_RDWR).succeeds().opened(0, jail + "/sub/file");
    p.call({"open", SYS_open}, "/no", O_RDONLY).fails(ENOENT).named(0, jail + "/no");
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, jail + "/sub/no");
    p.call({"mkdir", SYS_mkdir}, "/", 0700).fails(EEXIST).named(0, jail);
    p.call({"unlinkat", SYS_unlinkat}, outside, "no", 0).fails(ENOENT).named(1, jail + "/no");
    p.call({"unlink", SYS_unlink}, "/sub/file").succeeds().named(0, jail + "/sub/file");
}

void pivot_root_(Process& p) {
    p.make_folder("new");
    p.call({"pivot_root", SYS_pivot_root}, "/no/such", "/no/other")
        .fails(ENOENT)
        .named(0, "/no/such")
        .named(1, "/no/other");
    if (!private_mounts(p))
        return;
    mount_tmpfs(p, "new");
    p.make_folder("new/old");
    const std::string path = p.at("new"), old = p.at("new/old");
    Call call = p.call({"pivot_root", SYS_pivot_root}, path.c_str(), old.c_str());
    if (call.ret() < 0) { // the root of an initramfs cannot be moved
        call.named(0, path).named(1, old);
        return p.note("pivot_root: cannot succeed with the root file system of this machine");
    }
    log_identity& who = p.change();
    p.set_text(who.cwd, "/old" + p.folder());
    call.succeeds().by(p).named(0, path).named(1, old);
    p.call({"open", SYS_open}, "/file", O_CREAT | O_RDWR, 0600).succeeds().opened(0, "/file");
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, "/old" + p.folder() + "/no");
}

/// Mounts that are files at first: since Linux 5.2.
void mount_by_descriptor(Process& p, long context) {
    raw_syscall(nr_fsconfig, register_value(context), 6 /* FSCONFIG_CMD_CREATE */);
    const long mounted = p.call({"fsmount", SYS_fsmount}, context, 0, 0).succeeds().ret();
    log_entry& fsmount = p.log().entry[p.log().entries - 1];
    Call(p.log(), fsmount).opened(EBT_ARG_RET, "/");
    fsmount.path[0].text.flags |= LOG_FOREIGN;
    p.call({"move_mount", SYS_move_mount}, mounted, "", AT_FDCWD, "b", 4 /* MOVE_MOUNT_F_EMPTY_PATH */)
        .succeeds()
        .named(1, p.at("b"))
        .named(3, p.at("b"));
    const long tree = p.call({"open_tree", SYS_open_tree}, AT_FDCWD, "b", OPEN_TREE_CLONE)
                          .succeeds()
                          .named(1, p.at("b"))
                          .ret();
    p.require(tree >= 0, "open_tree");
}

void mount_files(Process& p) {
    p.make_folder("a");
    p.make_folder("b");
    p.call({"open_tree", SYS_open_tree}, AT_FDCWD, "no", OPEN_TREE_CLONE).fails(ENOENT).named(1, p.at("no"));
    p.call({"fsmount", SYS_fsmount}, -1, 0, 0).fails(EBADF);
    p.call({"move_mount", SYS_move_mount}, -1, "a", AT_FDCWD, "b", 0)
        .fails(EBADF)
        .named(1, "a", LOG_RELATIVE)
        .named(3, p.at("b"));
    if (!private_mounts(p))
        return;
    const long context = raw_syscall(nr_fsopen, register_value("tmpfs"));
    if (context >= 0)
        mount_by_descriptor(p, context);
    else
        p.note("fsmount: this kernel has no mounts that are files");
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOEXEC;
    p.call({"mount_setattr", SYS_mount_setattr}, AT_FDCWD, "b", 0, &attributes, sizeof attributes)
        .succeeds()
        .named(1, p.at("b"));
    p.call({"mount_setattr", SYS_mount_setattr}, AT_FDCWD, "a", 0, &attributes, sizeof attributes)
        .fails(EINVAL)
        .named(1, p.at("a"));
    p.call({"open_tree_attr", nr_open_tree_attr}, AT_FDCWD, "b", OPEN_TREE_CLONE, &attributes,
           sizeof attributes)
        .may_fail()
        .named(1, p.at("b"));
}

/// What a process sees of another mount name space cannot be named from its own root.
void foreign_mounts(Process& p) {
    p.make_folder("a");
    const int file = p.make_file("outside");
    if (!private_mounts(p))
        return;
    mount_tmpfs(p, "a");
    Call call = p.call({"fchmod", SYS_fchmod}, file, 0640);
    call.succeeds().file(0, file, p.at("outside"));
    call.entry().path[0].text.flags |= LOG_FOREIGN;
    p.call({"open", SYS_open}, "outside", O_RDONLY).succeeds().opened(0, p.at("outside"));
}

void setns_(Process& p) {
    Call opened = p.call({"open", SYS_open}, "/proc/self/ns/uts", O_RDONLY);
    const long own = opened.ret();
    if (own < 0) {
        opened.named(0, "/proc/self/ns/uts");
        return p.note("setns: no name spaces in /proc");
    }
    opened.detached(0, own, "uts:[#]");
    p.call({"setns", SYS_setns}, own, 0).succeeds().detached(0, own, "uts:[#]");
    p.call({"setns", SYS_setns}, own, CLONE_NEWNET).fails(EINVAL).detached(0, own, "uts:[#]");
    p.call({"setns", SYS_setns}, 500, 0).fails(EBADF).no_file(0);
    p.call({"unshare", SYS_unshare}, 0x7fffffff).fails(EINVAL);
}

/// Names of the machine, in a name space of the case's own.
void host_names(Process& p) {
    p.call({"sethostname", SYS_sethostname}, 16, 1 << 20).fails(EINVAL);
    p.call({"setdomainname", SYS_setdomainname}, 16, 1 << 20).fails(EINVAL);
    Call own = p.call({"unshare", SYS_unshare}, CLONE_NEWUTS);
    if (own.ret() < 0)
        return p.note("sethostname: this kernel gives no name space of host names");
    p.call({"sethostname", SYS_sethostname}, "kernel-tests", 12).succeeds();
    p.call({"setdomainname", SYS_setdomainname}, "kernel-tests", 12).succeeds();
}

} // namespace

Cases namespace_cases() {
    return {
        {"mount", mount_},           {"stacked_mounts", stacked_mounts}, {"chroot", chroot_},
        {"pivot_root", pivot_root_}, {"mount_files", mount_files},       {"foreign_mounts", foreign_mounts},
        {"setns", setns_},           {"host_names", host_names},
    };
}

} // namespace kernel_test
