// SPDX-License-Identifier: MIT
// Other spellings of a path than the kernel's.
#include "test/unit/event/decoder_support.hpp"

#include <cerrno>
#include <fcntl.h>

using namespace decoder_test;

namespace {

TEST(Decoder, ReadsThroughOtherSpellings) {
    const Decoded d(named("//etc/./passwd"));
    EXPECT_EQ(d.path().bytes, "/etc/passwd");
    EXPECT_EQ(d.path().source, Source::user_memory);
    EXPECT_EQ(d.path().original_length, 11u);
    EXPECT_FALSE(d.path().lexical);
    ASSERT_TRUE(d.event.witnessed);
    EXPECT_EQ(d.event.witnessed->called[0].bytes, "//etc/./passwd");
    EXPECT_EQ(d.event.witnessed->called[0].original_length, 14u);
    EXPECT_EQ(d.event.witnessed->called[1].status, Status::absent);
    const Decoded guessed(named("/tmp/../etc/passwd"));
    EXPECT_EQ(guessed.path().bytes, "/etc/passwd");
    EXPECT_TRUE(guessed.path().lexical);
    const Decoded descriptor(named("/proc/self/fd/3/passwd"));
    EXPECT_EQ(descriptor.path().bytes, "passwd");
    EXPECT_TRUE(descriptor.path().relative);
    EXPECT_EQ(Decoded(named("/proc/100/root/etc")).path().bytes, "/etc");
    EXPECT_EQ(Decoded(named("/proc/self/cwd/x")).path().bytes, "/home/me/x");
}

/// What is known of the directory that the path turned out to start from.
TEST(Decoder, TakesTheMarksOfTheDirectoryThatALinkOfProcLeadsTo) {
    RecordBuilder builder("openat");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_CWD, path_bytes("/gone"), flagged(EBT_ARG_NONE, EBT_DETACHED));
    builder.field(EBT_FIELD_DIR, path_bytes("/other"), flagged(1, EBT_FOREIGN));
    RecordBuilder to_root = builder;
    to_root.field(EBT_FIELD_STRING, "/proc/self/root/x", arg(1));
    EXPECT_FALSE(Decoded(to_root).path().foreign);
    builder.field(EBT_FIELD_STRING, "/proc/self/cwd/x", flagged(1, EBT_USER_MEMORY));
    const Decoded to_cwd(builder);
    EXPECT_EQ(to_cwd.path().bytes, "(unreachable)/gone/x");
    EXPECT_TRUE(to_cwd.path().detached);
    EXPECT_FALSE(to_cwd.path().foreign);
}

TEST(Decoder, LeavesALinkThatTheCallIsAbout) {
    const auto written = [](std::string_view call, std::initializer_list<uint64_t> args) {
        RecordBuilder builder(call);
        builder.header.ret = -2;
        std::copy(args.begin(), args.end(), builder.header.args);
        const auto row = ebpf_loader::find_syscall(call);
        for (uint8_t i = 0; i < row->arguments; i++)
            if (row->argument[i].kind == ebpf_loader::ArgKind::path)
                builder.field(EBT_FIELD_STRING, "/proc/self/root", flagged(i, EBT_USER_MEMORY));
        return std::string(Decoded(builder).path().bytes);
    };
    for (const std::string_view call :
         {"readlink", "readlinkat", "lstat", "lchown", "lsetxattr", "lgetxattr", "llistxattr", "lremovexattr",
          "unlink", "unlinkat", "rmdir", "rename", "renameat2", "link", "linkat", "mkdir", "mknodat"})
        EXPECT_EQ(written(call, {}), "/proc/self/root") << call;
    for (const std::string_view call :
         {"open", "creat", "chmod", "chown", "truncate", "setxattr", "newfstatat", "statx", "utimensat",
          "execve", "mount", "fchownat", "fchmodat"})
        EXPECT_EQ(written(call, {}), "/") << call;
    EXPECT_EQ(written("newfstatat", {0, 0, 0, AT_SYMLINK_NOFOLLOW}), "/proc/self/root");
    EXPECT_EQ(written("linkat", {0, 0, 0, 0, AT_SYMLINK_FOLLOW}), "/");
    EXPECT_EQ(written("openat", {0, 0, O_NOFOLLOW}), "/proc/self/root");
    EXPECT_EQ(written("openat", {0, 0, O_RDWR}), "/");
}

/// RESOLVE_IN_ROOT makes the directory the root, and no record says whether that was asked for.
TEST(Decoder, IsNotSureWhereAFailedOpenat2BeganToLook) {
    const auto is_lexical = [](const char* call, std::string_view name, int64_t ret) {
        RecordBuilder builder(call);
        builder.header.ret = ret;
        builder.field(EBT_FIELD_DIR, path_bytes("/jail"), arg(1));
        builder.field(EBT_FIELD_STRING, name, {.arg = 1, .flags = EBT_USER_MEMORY});
        return Decoded(builder).path().lexical;
    };
    EXPECT_TRUE(is_lexical("openat2", "/etc/shadow", -ENOENT));
    EXPECT_TRUE(is_lexical("openat2", "../etc/shadow", -ENOENT));
    EXPECT_FALSE(is_lexical("openat2", "etc/shadow", -ENOENT)) << "the same with and without";
    EXPECT_FALSE(is_lexical("openat", "/etc/shadow", -ENOENT));
    EXPECT_FALSE(is_lexical("openat2", "/etc/shadow", 3));
}

} // namespace
