// SPDX-License-Identifier: MIT
// Calls that change what belongs to a file: mode, owner, extended attributes.
#include "test/kernel/cases/cases.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <utime.h>

#include "test/kernel/subject/numbers.hpp"

namespace kernel_test {

namespace {

void chmod_(Process& p) {
    const int file = p.make_file("file");
    p.call({"chmod", SYS_chmod}, "file", 06711).succeeds().named(0, p.at("file"));
    p.call({"chmod", SYS_chmod}, "no", 0777).fails(ENOENT).named(0, p.at("no"));
    p.call({"fchmod", SYS_fchmod}, file, 02755).succeeds().file(0, file, p.at("file"));
    p.call({"fchmod", SYS_fchmod}, 500, 0).fails(EBADF).no_file(0);
    p.call({"fchmodat", SYS_fchmodat}, AT_FDCWD, "file", 0600).succeeds().named(1, p.at("file"));
    p.call({"fchmodat", SYS_fchmodat}, file, "x", 0600).fails(ENOTDIR).named(1, p.at("file/x"));
    p.call({"fchmodat2", nr_fchmodat2}, AT_FDCWD, "file", 0640, AT_SYMLINK_NOFOLLOW)
        .succeeds()
        .named(1, p.at("file"));
    p.call({"fchmodat2", nr_fchmodat2}, AT_FDCWD, "no", 0640, 0).fails(ENOENT).named(1, p.at("no"));
}

/// An empty path means the descriptor itself, whatever it is.
void empty_paths(Process& p) {
    int pipe[2] = {-1, -1};
    raw_syscall(SYS_pipe2, register_value(pipe), 0);
    Call made = p.call({"socket", SYS_socket}, AF_UNIX, SOCK_DGRAM, 0);
    made.succeeds().socket(made.ret());
    Call memory = p.call({"memfd_create", SYS_memfd_create}, "x", 0);
    memory.succeeds().opened_detached(EBT_ARG_RET, "/memfd:x").string(0, "x");
    const std::pair<long, const char*> descriptors[] = {
        {pipe[0], "pipe:[#]"},
        {made.ret(), "socket:[#]"},
        {memory.ret(), "/memfd:x"},
    };
    for (const auto& [fd, name] : descriptors)
        for (const char* const path : {"", static_cast<const char*>(nullptr)}) {
            Call call = p.call({"utimensat", SYS_utimensat}, fd, path, 0, path ? AT_EMPTY_PATH : 0);
            if (path && call.ret() < 0)
                call.fails(EINVAL); // before 5.8
            else
                call.succeeds();
            call.detached(1, fd, name);
            log_path& logged = call.entry().path[0];
            logged.text.flags &= static_cast<uint8_t>(~LOG_HAS_INODE);
            logged.text.source = path ? LOG_USER_MEMORY : LOG_KERNEL;
        }
}

void chown_(Process& p) {
    const int file = p.make_file("file");
    p.call({"chown", SYS_chown}, "file", 12345, 23456).succeeds().named(0, p.at("file"));
    // The kernel's word for the file has its new owner.
    p.call({"open", SYS_open}, "file", O_RDONLY).succeeds().opened(0, p.at("file"));
    p.call({"chown", SYS_chown}, "no", 1, 2).fails(ENOENT).named(0, p.at("no"));
    p.call({"fchown", SYS_fchown}, file, 0, -1).succeeds().file(0, file, p.at("file"));
    p.call({"fchown", SYS_fchown}, -1, 0, 0).fails(EBADF).no_file(0);
    p.call({"lchown", SYS_lchown}, "file", 7, 8).succeeds().named(0, p.at("file"));
    p.call({"lchown", SYS_lchown}, "no", 7, 8).fails(ENOENT).named(0, p.at("no"));
    p.call({"fchownat", SYS_fchownat}, file, "", 9, 10, AT_EMPTY_PATH).succeeds().named(1, p.at("file"));
    p.call({"fchownat", SYS_fchownat}, AT_FDCWD, "no", 9, 10, 0).fails(ENOENT).named(1, p.at("no"));
}

/// Without a path, the descriptor itself is meant.
void utimensat_(Process& p) {
    const int file = p.make_file("file");
    p.call({"utimensat", SYS_utimensat}, AT_FDCWD, "file", 0, 0).succeeds().named(1, p.at("file"));
    const timespec times[2] = {{1, 2}, {0, UTIME_OMIT}};
    p.call({"utimensat", SYS_utimensat}, AT_FDCWD, "file", times, 0)
        .succeeds()
        .named(1, p.at("file"))
        .points_to(2, times);
    p.call({"utimensat", SYS_utimensat}, AT_FDCWD, "file", 8, 0)
        .fails(EFAULT)
        .named(1, p.at("file"))
        .no_string(2, LOG_FAULT);
    p.call({"utimensat", SYS_utimensat}, file, 0, 0, 0).succeeds().led_to(1, p.at("file"));
    p.call({"utimensat", SYS_utimensat}, 500, 0, 0, 0)
        .fails(EBADF)
        .no_path(1, LOG_UNAVAILABLE, LOG_USER_MEMORY);
    p.call({"utimensat", SYS_utimensat}, AT_FDCWD, 0, 0, 0)
        .fails(EFAULT)
        .no_path(1, LOG_UNAVAILABLE, LOG_USER_MEMORY);
}

#ifdef __x86_64__
/// The calls before utimensat.
void utimes_(Process& p) {
    p.make_file("file");
    const utimbuf seconds{1, -2};
    p.call({"utime", SYS_utime}, "file", &seconds).succeeds().named(0, p.at("file")).points_to(1, seconds);
    const timeval times[2] = {{3, 4}, {5, 999'999}};
    p.call({"utimes", SYS_utimes}, "file", times).succeeds().named(0, p.at("file")).points_to(1, times);
    p.call({"futimesat", SYS_futimesat}, AT_FDCWD, "file", times)
        .succeeds()
        .named(1, p.at("file"))
        .points_to(2, times);
    p.call({"utime", SYS_utime}, "file", 0).succeeds().named(0, p.at("file"));
    p.call({"utime", SYS_utime}, "no", 0).fails(ENOENT).named(0, p.at("no"));
    p.call({"utimes", SYS_utimes}, "file", 0).succeeds().named(0, p.at("file"));
    p.call({"utimes", SYS_utimes}, "no", 0).fails(ENOENT).named(0, p.at("no"));
    p.call({"futimesat", SYS_futimesat}, AT_FDCWD, "file", 0).succeeds().named(1, p.at("file"));
    p.call({"futimesat", SYS_futimesat}, AT_FDCWD, "no", 0).fails(ENOENT).named(1, p.at("no"));
}
#endif

/// Whether blocks can be had depends on the file system.
void fallocate_(Process& p) {
    const int file = p.make_file("file");
    Call call = p.call({"fallocate", SYS_fallocate}, file, 0, 0, 10);
    call.file(0, file, p.at("file")).may_fail();
    p.call({"fallocate", SYS_fallocate}, 500, 0, 0, 10).fails(EBADF).no_file(0);
}

constexpr char many_bytes[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

void setxattr_(Process& p) {
    const int file = p.make_file("file");
    const char* const name = "trusted.kernel_tests";
    Call set = p.call({"setxattr", SYS_setxattr}, "file", name, "value", 5, 0);
    set.named(0, p.at("file")).string(1, name).string(2, "value");
    if (set.ret() < 0)
        p.note("setxattr: none of them succeeds on the file system of the temporary folder");
    p.call({"setxattr", SYS_setxattr}, "no", name, "value", 5, 0)
        .fails(ENOENT)
        .named(0, p.at("no"))
        .string(1, name)
        .string(2, "value");
    p.call({"lsetxattr", SYS_lsetxattr}, "file", name, "other", 5, 0)
        .named(0, p.at("file"))
        .string(1, name)
        .string(2, "other");
    p.call({"lsetxattr", SYS_lsetxattr}, "no", name, "other", 5, 0)
        .fails(ENOENT)
        .named(0, p.at("no"))
        .string(1, name)
        .string(2, "other");
    p.call({"fsetxattr", SYS_fsetxattr}, file, name, "third", 5, 0)
        .file(0, file, p.at("file"))
        .string(1, name)
        .string(2, "third");
    p.call({"fsetxattr", SYS_fsetxattr}, -1, name, "third", 5, 0)
        .fails(EBADF)
        .no_file(0)
        .string(1, name)
        .string(2, "third");
    // What the capabilities of a file are is a structure; of more bytes than are kept it is known how many.
    const struct {
        uint32_t revision, permitted, inheritable, upper_permitted, upper_inheritable;
    } capability{0x02000001, 1u << 13, 0, 0, 0};
    p.call({"fsetxattr", SYS_fsetxattr}, file, "security.capability", &capability, sizeof capability, 0)
        .file(0, file, p.at("file"))
        .string(1, "security.capability")
        .points_to(2, capability);
    const std::string_view value(many_bytes);
    Call cut = p.call({"fsetxattr", SYS_fsetxattr}, -1, name, many_bytes, value.size(), 0);
    cut.fails(EBADF).no_file(0).string(1, name).cut_string(2, value.substr(0, EBT_BYTES_MAX),
                                                           static_cast<uint32_t>(value.size()));
    cut.entry().string[1].flags &= static_cast<uint8_t>(~LOG_AT_LEAST);
    p.call({"fsetxattr", SYS_fsetxattr}, -1, name, "", 0, 0).fails(EBADF).no_file(0).string(1, name);
}

/// The first bytes written to a setting of the kernel, and of no other file.
void pwrite64_(Process& p) {
    const long setting = p.call({"open", SYS_open}, "/proc/self/oom_score_adj", O_WRONLY)
                             .succeeds()
                             .opened(0, "/proc/" + std::to_string(p.identity().pid) + "/oom_score_adj")
                             .ret();
    const int file = p.make_file("file");
    p.call({"pwrite64", SYS_pwrite64}, setting, "17", 2, 0)
        .succeeds()
        .file(0, setting, "/proc/" + std::to_string(p.identity().pid) + "/oom_score_adj")
        .string(1, "17");
    p.call({"pwrite64", SYS_pwrite64}, file, "a secret", 8, 0).succeeds().file(0, file, p.at("file"));
}

void setxattrat_(Process& p) {
    p.make_file("file");
    const char* const name = "trusted.kernel_tests";
    struct {
        uint64_t value;
        uint32_t size, flags;
    } arguments{0, 0, 1}; // no address in it: the tiers' events are compared byte by byte
    Call set = p.call({"setxattrat", nr_setxattrat}, AT_FDCWD, "file", 0, name, &arguments, sizeof arguments);
    set.named(1, p.at("file")).string(3, name).points_to(4, arguments).may_fail();
    p.call({"setxattrat", nr_setxattrat}, AT_FDCWD, "no", 0, name, &arguments, sizeof arguments)
        .fails(ENOENT)
        .named(1, p.at("no"))
        .string(3, name)
        .points_to(4, arguments);
    Call remove = p.call({"removexattrat", nr_removexattrat}, AT_FDCWD, "file", 0, name);
    remove.named(1, p.at("file")).string(3, name).may_fail();
    p.call({"removexattrat", nr_removexattrat}, AT_FDCWD, "no", 0, name)
        .fails(ENOENT)
        .named(1, p.at("no"))
        .string(3, name);
}

void removexattr_(Process& p) {
    const int file = p.make_file("file");
    const char* const name = "trusted.kernel_tests";
    const auto set = [&] {
        p.call({"setxattr", SYS_setxattr}, "file", name, "value", 5, 0)
            .named(0, p.at("file"))
            .string(1, name)
            .string(2, "value");
    };
    set();
    p.call({"removexattr", SYS_removexattr}, "file", name).named(0, p.at("file")).string(1, name);
    set();
    p.call({"lremovexattr", SYS_lremovexattr}, "file", name).named(0, p.at("file")).string(1, name);
    set();
    p.call({"fremovexattr", SYS_fremovexattr}, file, name).file(0, file, p.at("file")).string(1, name);
    p.call({"removexattr", SYS_removexattr}, "no", name).fails(ENOENT).named(0, p.at("no")).string(1, name);
    p.call({"lremovexattr", SYS_lremovexattr}, "no", name).fails(ENOENT).named(0, p.at("no")).string(1, name);
    p.call({"fremovexattr", SYS_fremovexattr}, 500, name).fails(EBADF).no_file(0).string(1, name);
}

void ioctl_(Process& p) {
    const int file = p.make_file("file");
    long flags = 0;
    p.call({"ioctl", SYS_ioctl}, file, FS_IOC_GETFLAGS, &flags).file(0, file, p.at("file"));
    p.call({"ioctl", SYS_ioctl}, file, FS_IOC_SETFLAGS, &flags).file(0, file, p.at("file"));
    p.call({"ioctl", SYS_ioctl}, file, 0x54ff, 7).fails(ENOTTY).file(0, file, p.at("file"));
    p.call({"ioctl", SYS_ioctl}, 500, FS_IOC_SETFLAGS, &flags).fails(EBADF).no_file(0);
}

void file_setattr_(Process& p) {
    p.make_file("file");
    struct {
        uint64_t xflags;
        uint32_t extent_size, extents, project, cow_extent_size;
    } attributes{};
    Call set = p.call({"file_setattr", nr_file_setattr}, AT_FDCWD, "file", &attributes, sizeof attributes, 0);
    set.named(1, p.at("file")).may_fail();
    p.call({"file_setattr", nr_file_setattr}, AT_FDCWD, "no", &attributes, sizeof attributes, 0)
        .fails(ENOENT)
        .named(1, p.at("no"));
}

} // namespace

Cases attribute_cases() {
    return {
        {"chmod", chmod_},
        {"empty_paths", empty_paths},
        {"chown", chown_},
        {"utimensat", utimensat_},
#ifdef __x86_64__
        {"utimes", utimes_},
#endif
        {"fallocate", fallocate_},
        {"setxattr", setxattr_},
        {"setxattrat", setxattrat_},
        {"pwrite64", pwrite64_},
        {"removexattr", removexattr_},
        {"ioctl", ioctl_},
        {"file_setattr", file_setattr_},
    };
}

} // namespace kernel_test
