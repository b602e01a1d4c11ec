// SPDX-License-Identifier: MIT
// Calls that open a file: the kernel's own path where they succeed, the process's where not.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace kernel_test {

namespace {

void open_(Process& p) {
    const std::string path = p.at("file");
    p.call({"open", SYS_open}, path.c_str(), O_CREAT | O_WRONLY, 0604).succeeds().opened(0, path);
    p.call({"open", SYS_open}, "file", O_RDONLY).succeeds().opened(0, path);
    p.call({"open", SYS_open}, "./file", O_RDWR, 0).succeeds().opened(0, path);
    p.call({"open", SYS_open}, "no/such", O_RDONLY).fails(ENOENT).named(0, p.at("no/such"));
    p.call({"open", SYS_open}, "/no/such", O_RDONLY).fails(ENOENT).named(0, "/no/such");
    p.call({"open", SYS_open}, "./no", O_RDONLY).fails(ENOENT).named(0, p.at("no"));
    p.call({"open", SYS_open}, "file", O_CREAT | O_EXCL, 0600).fails(EEXIST).named(0, path);
}

void openat_(Process& p) {
    p.make_folder("folder");
    const long folder = p.call({"openat", SYS_openat}, AT_FDCWD, "folder", O_RDONLY | O_DIRECTORY)
                            .succeeds()
                            .opened(1, p.at("folder"))
                            .ret();
    p.call({"openat", SYS_openat}, folder, "file", O_CREAT | O_RDWR, 0640)
        .succeeds()
        .opened(1, p.at("folder/file"));
    p.call({"openat", SYS_openat}, folder, "../folder/file", O_RDONLY)
        .succeeds()
        .opened(1, p.at("folder/file"));
    p.call({"openat", SYS_openat}, folder, "no", O_RDONLY).fails(ENOENT).named(1, p.at("folder/no"));
    p.call({"openat", SYS_openat}, folder, "/no/such", O_RDONLY).fails(ENOENT).named(1, "/no/such");
    p.call({"openat", SYS_openat}, AT_FDCWD, "", O_RDONLY).fails(ENOENT).named(1, "");
    p.call({"openat", SYS_openat}, -1, "no", O_RDONLY).fails(EBADF).named(1, "no", LOG_RELATIVE);
    p.call({"openat", SYS_openat}, 512, "no", O_RDONLY).fails(EBADF).named(1, "no", LOG_RELATIVE);
    p.call({"openat", SYS_openat}, 1 << 30, "no", O_RDONLY).fails(EBADF).named(1, "no", LOG_RELATIVE);
    p.call({"openat", SYS_openat}, folder, ".", O_RDONLY).succeeds().opened(1, p.at("folder"));
    p.call({"openat", SYS_openat}, AT_FDCWD, "/", O_RDONLY).succeeds().opened(1, "/");
}

/// The descriptor 0 is as good a directory as any.
void openat_fd_0(Process& p) {
    p.make_folder("zero");
    const long folder =
        p.call({"openat", SYS_openat}, AT_FDCWD, "zero", O_RDONLY).succeeds().opened(1, p.at("zero")).ret();
    close(0);
    p.require(raw_syscall(SYS_fcntl, static_cast<uint64_t>(folder), F_DUPFD, 0) == 0, "descriptor 0");
    p.call({"openat", SYS_openat}, 0, "file", O_CREAT | O_RDWR, 0600).succeeds().opened(1, p.at("zero/file"));
    p.call({"openat", SYS_openat}, 0, "no", O_RDONLY).fails(ENOENT).named(1, p.at("zero/no"));
    p.call({"unlinkat", SYS_unlinkat}, 0, "file", 0).succeeds().named(1, p.at("zero/file"));
    p.call({"unlinkat", SYS_unlinkat}, 0, "file", 0).fails(ENOENT).named(1, p.at("zero/file"));
    p.call({"mkdirat", SYS_mkdirat}, 0, "sub", 0700).succeeds().named(1, p.at("zero/sub"));
}

/// What is opened is named, not what leads to it.
void openat_through_links(Process& p) {
    p.make_file("file");
    p.call({"symlink", SYS_symlink}, "file", "link")
        .succeeds()
        .named(0, "file", LOG_RELATIVE)
        .named(1, p.at("link"));
    p.call({"openat", SYS_openat}, AT_FDCWD, "link", O_RDONLY).succeeds().opened(1, p.at("file"));
    p.call({"openat", SYS_openat}, AT_FDCWD, "link", O_RDONLY | O_NOFOLLOW)
        .fails(ELOOP)
        .named(1, p.at("link"));
    p.call({"openat", SYS_openat}, AT_FDCWD, "link", O_PATH | O_NOFOLLOW).succeeds().opened(1, p.at("link"));
    const std::string self = "/proc/" + std::to_string(p.identity().pid);
    p.call({"openat", SYS_openat}, AT_FDCWD, "/proc/self/status", O_RDONLY)
        .succeeds()
        .opened(1, self + "/status");
}

void creat_(Process& p) {
    p.call({"creat", SYS_creat}, "made", 0620).succeeds().opened(0, p.at("made"));
    p.call({"creat", SYS_creat}, p.folder().c_str(), 0620).fails(EISDIR).named(0, p.folder());
}

void openat2_(Process& p) {
    const long folder =
        p.call({"openat", SYS_openat}, AT_FDCWD, ".", O_RDONLY).succeeds().opened(1, p.folder()).ret();
    open_how how{.flags = O_CREAT | O_RDWR, .mode = 0600, .resolve = RESOLVE_BENEATH};
    p.call({"openat2", SYS_openat2}, folder, "file", &how, sizeof how)
        .succeeds()
        .opened(1, p.at("file"))
        .points_to(2, how);
    p.call({"openat2", SYS_openat2}, folder, "/etc", &how, sizeof how)
        .fails(EXDEV)
        .named(1, "/etc")
        .points_to(2, how);
    p.call({"openat2", SYS_openat2}, AT_FDCWD, "x", &how, 3)
        .fails(EINVAL)
        .named(1, p.at("x"))
        .points_to(2, how, 3);
    p.call({"openat2", SYS_openat2}, AT_FDCWD, "x", 0, sizeof how).fails(EFAULT).named(1, p.at("x"));
    // Whether the folder is the root of the path or the machine's is: of a failed one no file tells.
    how = {.flags = O_RDONLY, .mode = 0, .resolve = RESOLVE_IN_ROOT};
    p.call({"openat2", SYS_openat2}, folder, "/no", &how, sizeof how)
        .fails(ENOENT)
        .named(1, "/no", LOG_LEXICAL)
        .points_to(2, how);
}

void open_by_handle_at_(Process& p) {
    const int file = p.make_file("file");
    struct {
        file_handle head;
        char bytes[128];
    } handle{};
    handle.head.handle_bytes = sizeof handle.bytes;
    int mount_id = 0;
    const long named = raw_syscall(SYS_name_to_handle_at, static_cast<uint64_t>(file), register_value(""),
                                   register_value(&handle), register_value(&mount_id), AT_EMPTY_PATH);
    p.call({"open_by_handle_at", SYS_open_by_handle_at}, -1, &handle, O_RDONLY).fails(EBADF).no_file(0);
    if (named != 0)
        return p.note("open_by_handle_at: no handles on the file system of the temporary folder");
    Call call = p.call({"open_by_handle_at", SYS_open_by_handle_at}, file, &handle, O_RDONLY);
    call.file(0, file, p.at("file")).succeeds();
    if (!call.unknown())
        call.opened(EBT_ARG_RET, p.at("file"));
}

void memfd_create_(Process& p) {
    p.call({"memfd_create", SYS_memfd_create}, "a name", 1)
        .succeeds()
        .string(0, "a name")
        .opened_detached(EBT_ARG_RET, "/memfd:a name");
    p.call({"memfd_create", SYS_memfd_create}, "wrong", 0x7fff0000).fails(EINVAL).string(0, "wrong");
}

/// A file that has been removed still has the path that it had.
void removed(Process& p) {
    const int file = p.make_file("gone");
    p.call({"unlink", SYS_unlink}, "gone").succeeds().named(0, p.at("gone"));
    p.call({"fchmod", SYS_fchmod}, file, 0600).succeeds().file(0, file, p.at("gone"));
}

} // namespace

Cases open_cases() {
    return {
        {"open", open_},
        {"openat", openat_},
        {"openat_fd_0", openat_fd_0},
        {"openat_through_links", openat_through_links},
        {"creat", creat_},
        {"openat2", openat2_},
        {"open_by_handle_at", open_by_handle_at_},
        {"memfd_create", memfd_create_},
        {"removed", removed},
    };
}

} // namespace kernel_test
