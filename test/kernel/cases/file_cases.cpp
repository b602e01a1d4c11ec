// SPDX-License-Identifier: MIT
// Calls that make, move and remove names: paths as the process gives them, made absolute.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace kernel_test {

namespace {

/// An open descriptor of a new folder in the test's own.
long open_folder(Process& p, const std::string& name) {
    p.make_folder(name);
    return p.call({"openat", SYS_openat}, AT_FDCWD, p.at(name).c_str(), O_RDONLY | O_DIRECTORY)
        .succeeds()
        .opened(1, p.at(name))
        .ret();
}

void truncate_(Process& p) {
    const int file = p.make_file("file");
    p.call({"truncate", SYS_truncate}, "file", 4096).succeeds().named(0, p.at("file"));
    p.call({"truncate", SYS_truncate}, "file", -1L).fails(EINVAL).named(0, p.at("file"));
    p.call({"truncate", SYS_truncate}, "no", 1).fails(ENOENT).named(0, p.at("no"));
    p.call({"ftruncate", SYS_ftruncate}, file, 100).succeeds().file(0, file, p.at("file"));
    p.call({"ftruncate", SYS_ftruncate}, file, -1L).fails(EINVAL).file(0, file, p.at("file"));
    p.call({"ftruncate", SYS_ftruncate}, 500, 0).fails(EBADF).no_file(0);
}

void rename_(Process& p) {
    p.make_file("a");
    p.call({"rename", SYS_rename}, "a", p.at("b").c_str()).succeeds().named(0, p.at("a")).named(1, p.at("b"));
    p.call({"rename", SYS_rename}, "a", "c").fails(ENOENT).named(0, p.at("a")).named(1, p.at("c"));
    p.call({"rename", SYS_rename}, "b", "/proc/x").fails(EXDEV).named(0, p.at("b")).named(1, "/proc/x");
}

/// Each path starts from its own descriptor.
void renameat_(Process& p) {
    const long from = open_folder(p, "from"), to = open_folder(p, "to");
    p.make_file("from/a");
    p.call({"renameat", SYS_renameat}, from, "a", to, "b")
        .succeeds()
        .named(1, p.at("from/a"))
        .named(3, p.at("to/b"));
    p.call({"renameat", SYS_renameat}, to, "b", AT_FDCWD, "c")
        .succeeds()
        .named(1, p.at("to/b"))
        .named(3, p.at("c"));
    p.call({"renameat", SYS_renameat}, AT_FDCWD, "c", from, "a")
        .succeeds()
        .named(1, p.at("c"))
        .named(3, p.at("from/a"));
    p.call({"renameat", SYS_renameat}, -1, "c", to, "a")
        .fails(EBADF)
        .named(1, "c", LOG_RELATIVE)
        .named(3, p.at("to/a"));
}

void renameat2_(Process& p) {
    const long from = open_folder(p, "from"), to = open_folder(p, "to");
    p.make_file("from/a");
    p.make_file("to/b");
    p.call({"renameat2", SYS_renameat2}, from, "a", to, "b", 1 /* RENAME_NOREPLACE */)
        .fails(EEXIST)
        .named(1, p.at("from/a"))
        .named(3, p.at("to/b"));
    p.call({"renameat2", SYS_renameat2}, from, "a", to, "b", 0)
        .succeeds()
        .named(1, p.at("from/a"))
        .named(3, p.at("to/b"));
    p.call({"renameat2", SYS_renameat2}, from, "a", to, "b", 0x1000)
        .fails(EINVAL)
        .named(1, p.at("from/a"))
        .named(3, p.at("to/b"));
}

void link_(Process& p) {
    p.make_file("a");
    p.call({"link", SYS_link}, "a", "b").succeeds().named(0, p.at("a")).named(1, p.at("b"));
    p.call({"link", SYS_link}, "a", "b").fails(EEXIST).named(0, p.at("a")).named(1, p.at("b"));
    p.call({"link", SYS_link}, "/no", "/such").fails(ENOENT).named(0, "/no").named(1, "/such");
}

void linkat_(Process& p) {
    const long from = open_folder(p, "from"), to = open_folder(p, "to");
    const int file = p.make_file("from/a");
    p.call({"linkat", SYS_linkat}, from, "a", to, "b", 0)
        .succeeds()
        .named(1, p.at("from/a"))
        .named(3, p.at("to/b"));
    p.call({"linkat", SYS_linkat}, from, "no", to, "b", 0)
        .fails(ENOENT)
        .named(1, p.at("from/no"))
        .named(3, p.at("to/b"));
    p.call({"linkat", SYS_linkat}, file, "", to, "c", AT_EMPTY_PATH)
        .succeeds()
        .named(1, p.at("from/a"))
        .named(3, p.at("to/c"));
    p.call({"linkat", SYS_linkat}, from, "a", 501, "b", 0)
        .fails(EBADF)
        .named(1, p.at("from/a"))
        .named(3, "b", LOG_RELATIVE);
}

void symlink_(Process& p) {
    p.call({"symlink", SYS_symlink}, "some/target", "link")
        .succeeds()
        .named(0, "some/target", LOG_RELATIVE)
        .named(1, p.at("link"));
    p.call({"symlink", SYS_symlink}, "/some/target", "link")
        .fails(EEXIST)
        .named(0, "/some/target")
        .named(1, p.at("link"));
}

void symlinkat_(Process& p) {
    const long to = open_folder(p, "to");
    p.call({"symlinkat", SYS_symlinkat}, "../target", to, "link")
        .succeeds()
        .named(0, "../target", LOG_RELATIVE)
        .named(2, p.at("to/link"));
    p.call({"symlinkat", SYS_symlinkat}, "../target", to, "link")
        .fails(EEXIST)
        .named(0, "../target", LOG_RELATIVE)
        .named(2, p.at("to/link"));
    p.call({"symlinkat", SYS_symlinkat}, "target", 501, "link")
        .fails(EBADF)
        .named(0, "target", LOG_RELATIVE)
        .named(2, "link", LOG_RELATIVE);
}

void unlink_(Process& p) {
    p.make_file("a");
    p.call({"unlink", SYS_unlink}, "a").succeeds().named(0, p.at("a"));
    p.call({"unlink", SYS_unlink}, "a").fails(ENOENT).named(0, p.at("a"));
    p.call({"unlink", SYS_unlink}, "../unlink").fails(EISDIR).named(0, p.folder()).called(p.at("../unlink"));
}

void unlinkat_(Process& p) {
    const long folder = open_folder(p, "folder");
    p.make_file("folder/a");
    p.make_folder("folder/b");
    p.call({"unlinkat", SYS_unlinkat}, folder, "a", 0).succeeds().named(1, p.at("folder/a"));
    p.call({"unlinkat", SYS_unlinkat}, folder, "b", 0).fails(EISDIR).named(1, p.at("folder/b"));
    p.call({"unlinkat", SYS_unlinkat}, folder, "b", AT_REMOVEDIR).succeeds().named(1, p.at("folder/b"));
    p.call({"unlinkat", SYS_unlinkat}, AT_FDCWD, "folder", AT_REMOVEDIR).succeeds().named(1, p.at("folder"));
    // A directory that has been removed still has the path that it had.
    p.call({"unlinkat", SYS_unlinkat}, folder, "a", 0).fails(ENOENT).named(1, p.at("folder/a"));
}

void mkdir_(Process& p) {
    p.call({"mkdir", SYS_mkdir}, "a", 0700).succeeds().named(0, p.at("a"));
    p.call({"mkdir", SYS_mkdir}, "a", 0700).fails(EEXIST).named(0, p.at("a"));
    p.call({"rmdir", SYS_rmdir}, "a/").succeeds().named(0, p.at("a")).called(p.at("a/"));
    p.call({"rmdir", SYS_rmdir}, "a").fails(ENOENT).named(0, p.at("a"));
}

void mkdirat_(Process& p) {
    const long folder = open_folder(p, "folder");
    p.call({"mkdirat", SYS_mkdirat}, folder, "a", 0700).succeeds().named(1, p.at("folder/a"));
    p.call({"mkdirat", SYS_mkdirat}, folder, "a", 0700).fails(EEXIST).named(1, p.at("folder/a"));
    p.call({"mkdirat", SYS_mkdirat}, folder, "/no/such", 0700).fails(ENOENT).named(1, "/no/such");
}

void mknod_(Process& p) {
    const long folder = open_folder(p, "folder");
    p.call({"mknod", SYS_mknod}, "fifo", S_IFIFO | 0600, 0).succeeds().named(0, p.at("fifo"));
    p.call({"mknod", SYS_mknod}, "fifo", S_IFIFO | 0600, 0).fails(EEXIST).named(0, p.at("fifo"));
    p.call({"mknodat", SYS_mknodat}, folder, "socket", S_IFSOCK | 0600, 0)
        .succeeds()
        .named(1, p.at("folder/socket"));
    p.call({"mknodat", SYS_mknodat}, folder, "socket", S_IFSOCK | 0600, 0)
        .fails(EEXIST)
        .named(1, p.at("folder/socket"));
}

/// The current directory: where it is, where it leads, where it cannot lead.
void chdir_(Process& p) {
    const long folder = open_folder(p, "folder");
    const std::string cwd = p.folder() + "/folder";
    Call relative = p.call({"chdir", SYS_chdir}, "folder");
    p.set_text(p.change().cwd, cwd);
    relative.succeeds().by(p).led_to(0, cwd);
    p.call({"chdir", SYS_chdir}, "no").fails(ENOENT).named(0, cwd + "/no");
    p.make_file("folder/file");
    p.call({"open", SYS_open}, "file", O_RDONLY).succeeds().opened(0, cwd + "/file");
    Call back = p.call({"chdir", SYS_chdir}, "..");
    p.set_text(p.change().cwd, p.folder());
    back.succeeds().by(p).led_to(0, p.folder());
    Call through = p.call({"fchdir", SYS_fchdir}, folder);
    p.set_text(p.change().cwd, cwd);
    through.succeeds().by(p).file(0, folder, cwd);
    Call root = p.call({"chdir", SYS_chdir}, "/");
    p.set_text(p.change().cwd, "/");
    root.succeeds().by(p).led_to(0, "/");
    p.call({"open", SYS_open}, "no", O_RDONLY).fails(ENOENT).named(0, "/no");
}

} // namespace

Cases file_cases() {
    return {
        {"truncate", truncate_}, {"rename", rename_},     {"renameat", renameat_}, {"renameat2", renameat2_},
        {"link", link_},         {"linkat", linkat_},     {"symlink", symlink_},   {"symlinkat", symlinkat_},
        {"unlink", unlink_},     {"unlinkat", unlinkat_}, {"mkdir", mkdir_},       {"mkdirat", mkdirat_},
        {"mknod", mknod_},       {"chdir", chdir_},
    };
}

} // namespace kernel_test
