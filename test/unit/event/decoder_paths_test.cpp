// SPDX-License-Identifier: MIT
// Paths, of components from the kernel and of names from user memory.
#include "test/unit/event/decoder_support.hpp"

using namespace decoder_test;
using namespace std::string_literals;

namespace {

TEST(Decoder, JoinsComponents) {
    RecordBuilder builder("read");
    builder.file(EBT_FIELD_FILE, "/etc/ssl/openssl.cnf", regular, arg(0));
    builder.field(EBT_FIELD_CWD, "");
    builder.field(EBT_FIELD_ROOT, path_bytes("/srv/jail"));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    const PathField& path = d.path();
    EXPECT_EQ(path.bytes, "/etc/ssl/openssl.cnf");
    EXPECT_EQ(path.status, Status::ok);
    EXPECT_EQ(path.source, Source::kernel);
    EXPECT_EQ(path.original_length, path.bytes.size());
    EXPECT_EQ(path.argument, 0);
    EXPECT_FALSE(path.relative || path.detached || path.foreign);
    ASSERT_TRUE(path.has_inode);
    EXPECT_EQ(path.inode.ino, 7u);
    EXPECT_EQ(path.inode.mode, uint32_t{S_IFREG | 0644});
    EXPECT_EQ(path.inode.uid, 10u);
    EXPECT_EQ(path.inode.gid, 20u);
    EXPECT_EQ(d.event.cwd.bytes, "/");
    EXPECT_EQ(d.event.cwd.original_length, 1u);
    EXPECT_EQ(d.event.root.bytes, "/srv/jail");
}

TEST(Decoder, KeepsTheEndOfAPathThatWasCut) {
    // 40 bytes of path, of which the two components nearest to the leaf were kept.
    RecordBuilder builder("read");
    builder.field(
        EBT_FIELD_FILE, RecordBuilder::bytes_of(regular) + "leaf\0dir\0par"s,
        {.arg = 0, .status = EBT_TRUNCATED, .flags = EBT_AT_LEAST, .original = sizeof(ebt_inode) + 40});
    builder.field(EBT_FIELD_CWD, "x\0y\0"s, {.status = EBT_TRUNCATED, .original = 5000});
    Decoded d(builder);
    EXPECT_EQ(d.path().bytes, "dir/leaf") << "no leading slash: it does not start at the root";
    EXPECT_EQ(d.path().status, Status::truncated);
    EXPECT_TRUE(d.path().relative);
    EXPECT_EQ(d.path().original_length, 40u);
    EXPECT_TRUE(d.path().length_is_minimum);
    EXPECT_EQ(d.event.cwd.bytes, "y/x");
    EXPECT_EQ(d.event.cwd.original_length, 5000u);
    EXPECT_FALSE(d.event.cwd.length_is_minimum);
}

TEST(Decoder, NamesWhatHangsOnNoMount) {
    struct Case {
        uint32_t magic, mode;
        std::string_view components, expected;
    };
    const Case cases[] = {
        {0x534F434B, S_IFSOCK, {"\0", 1}, "socket:[7]"},
        {0x534F434B, S_IFSOCK, {"TCP\0", 4}, "socket:[7]"},
        {0x50495045, S_IFIFO, {"\0", 1}, "pipe:[7]"},
        {0x09041934, 0, {"[eventpoll]\0", 12}, "anon_inode:[eventpoll]"},
        {0x6e736673, S_IFREG, {"/\0", 2}, "ns:[7]"},
        {0x6e736673, S_IFREG, {"uts\0", 4}, "uts:[7]"},
        {0x50494446, S_IFREG, {"/\0", 2}, "anon_inode:[pidfd]"},
        {0x01021994, S_IFREG, {"memfd:a/b\0", 10}, "/memfd:a/b"},
        {0x01021994, S_IFREG, {"b\0a\0", 4}, "(unreachable)/a/b"},
        {0xef53, S_IFDIR, {"b\0a\0/\0", 6}, "(unreachable)/a/b"},
        {0xef53, S_IFDIR, {"a\0", 2}, "(unreachable)/a"},
        {0xef53, S_IFDIR, {"/\0", 2}, "(unreachable)/"},
        {0, S_IFREG, {}, "/"},
    };
    for (const Case& c : cases) {
        RecordBuilder builder("read");
        ebt_inode inode{7, c.magic, c.mode, 0, 0, 0, 0};
        builder.field(EBT_FIELD_FILE, RecordBuilder::bytes_of(inode) + std::string(c.components),
                      flagged(0, EBT_DETACHED));
        Decoded d(builder);
        EXPECT_EQ(d.path().bytes, c.expected);
        EXPECT_TRUE(d.path().detached);
        EXPECT_FALSE(d.path().relative);
        EXPECT_EQ(d.path().deleted, c.expected == "/memfd:a/b") << c.expected;
    }
}

/// Until its first event a process has the time to write over its arguments; not so with its exec.
TEST(Decoder, ArgumentsOfAnImageAreTheProcesssOwnUnlessItIsNew) {
    for (const auto& [kind, source] :
         {std::pair{EBT_SYSCALL, Source::user_memory}, {EBT_EXEC, Source::kernel}}) {
        RecordBuilder builder("read");
        builder.header.kind = static_cast<uint8_t>(kind);
        builder.header.flags = EBT_IMAGE;
        builder.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"sshd", "-D"}));
        EXPECT_EQ(Decoded(builder).event.image.argv.source, source);
    }
    RecordBuilder exec("execve");
    exec.header.flags = EBT_IMAGE;
    exec.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"sshd", "-D"}));
    EXPECT_EQ(Decoded(exec).event.image.argv.source, Source::kernel);
    exec.header.ret = -2; // the old image is still there
    EXPECT_EQ(Decoded(exec).event.image.argv.source, Source::user_memory);
}

TEST(Decoder, TellsAnUnreachableDirectory) {
    RecordBuilder builder("openat");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_CWD, path_bytes("/gone/dir"), flagged(EBT_ARG_NONE, EBT_DETACHED));
    builder.field(EBT_FIELD_STRING, "file", arg(1));
    Decoded d(builder);
    EXPECT_EQ(d.event.cwd.bytes, "(unreachable)/gone/dir");
    EXPECT_TRUE(d.event.cwd.detached);
    EXPECT_EQ(d.path().bytes, "(unreachable)/gone/dir/file");
    EXPECT_TRUE(d.path().detached);
}

// --- paths named by the process ---

TEST(Decoder, JoinsANameToTheCurrentDirectory) {
    Decoded d(named("sub/file"));
    EXPECT_EQ(d.path().bytes, "/home/me/sub/file");
    EXPECT_EQ(d.path().source, Source::user_memory);
    EXPECT_EQ(d.path().original_length, 17u);
    EXPECT_EQ(d.path().argument, 1);
    EXPECT_FALSE(d.path().has_inode || d.path().relative);
}

TEST(Decoder, LeavesAnAbsoluteNameAsItIs) {
    const Decoded plain(named("/etc/passwd"));
    EXPECT_EQ(plain.path().bytes, "/etc/passwd");
    EXPECT_FALSE(plain.event.witnessed) << "nothing else was written";
    EXPECT_EQ(Decoded(named("/")).path().bytes, "/");
}

TEST(Decoder, DropsADotInFrontOnly) {
    EXPECT_EQ(Decoded(named("./file")).path().bytes, "/home/me/file");
    EXPECT_EQ(Decoded(named(".//././file")).path().bytes, "/home/me/file");
    EXPECT_EQ(Decoded(named(".")).path().bytes, "/home/me");
    EXPECT_EQ(Decoded(named("./")).path().bytes, "/home/me");
    EXPECT_FALSE(Decoded(named("./file")).event.witnessed) << "everybody writes that: not worth a note";
    EXPECT_EQ(Decoded(named("../file")).path().bytes, "/home/file");
    EXPECT_FALSE(Decoded(named("../file")).path().lexical) << "the kernel knows where it was";
    EXPECT_EQ(Decoded(named("a/./b")).path().bytes, "/home/me/a/b");
    EXPECT_EQ(Decoded(named(".hidden")).path().bytes, "/home/me/.hidden");
    EXPECT_EQ(Decoded(named("./file")).path().original_length, 13u);
}

TEST(Decoder, StartsAtTheDirectoryOfTheDescriptor) {
    Decoded d(named("file").field(EBT_FIELD_DIR, path_bytes("/var/lib"), arg(1)));
    EXPECT_EQ(d.path().bytes, "/var/lib/file");
    Decoded root(named("file").field(EBT_FIELD_DIR, "", arg(1)));
    EXPECT_EQ(root.path().bytes, "/file");
}

TEST(Decoder, TakesTheDirectoryItselfForAnEmptyName) {
    EXPECT_EQ(Decoded(named("").field(EBT_FIELD_DIR, path_bytes("/var/lib"), arg(1))).path().bytes,
              "/var/lib");
    EXPECT_EQ(Decoded(named("").field(EBT_FIELD_DIR, "", arg(1))).path().bytes, "/");
    Decoded nothing(named(""));
    EXPECT_EQ(nothing.path().bytes, "") << "open(\"\") fails and names nothing";
    EXPECT_TRUE(nothing.path().known());
    RecordBuilder succeeded = named("");
    succeeded.header.ret = 0;
    EXPECT_EQ(Decoded(succeeded).path().bytes, "/home/me");
}

/// utimensat(fd, NULL, ...) means the descriptor.
TEST(Decoder, TakesTheDescriptorItselfForNoNameThatSucceeds) {
    RecordBuilder builder("openat");
    builder.field(EBT_FIELD_STRING, "", {.arg = 1, .status = EBT_UNAVAILABLE, .flags = EBT_USER_MEMORY});
    builder.field(EBT_FIELD_DIR, path_bytes("/var/lib"), arg(1));
    builder.header.ret = 0;
    Decoded succeeded(builder);
    EXPECT_EQ(succeeded.path().bytes, "/var/lib");
    EXPECT_EQ(succeeded.path().source, Source::kernel);
    builder.header.ret = -EFAULT;
    EXPECT_EQ(Decoded(builder).path().status, Status::unavailable);
}

TEST(Decoder, PutsTheRootBeforeANameSeenFromAChroot) {
    auto jailed = [](std::string_view name) {
        return named(name).field(EBT_FIELD_ROOT, path_bytes("/srv/jail"));
    };
    EXPECT_EQ(Decoded(jailed("/etc/passwd")).path().bytes, "/srv/jail/etc/passwd");
    EXPECT_EQ(Decoded(jailed("/")).path().bytes, "/srv/jail");
    EXPECT_EQ(Decoded(jailed("file")).path().bytes, "/home/me/file") << "the cwd is whole already";
    Decoded unknown(named("/etc").field(EBT_FIELD_ROOT, "", failed(EBT_ARG_NONE, EBT_FAULT)));
    EXPECT_EQ(unknown.path().bytes, "/etc");
    EXPECT_TRUE(unknown.path().relative);
}

TEST(Decoder, SaysSoWhenTheBaseIsUnknown) {
    for (uint8_t status : {EBT_FAULT, EBT_UNAVAILABLE, EBT_TRUNCATED}) {
        Decoded d(named("file").field(EBT_FIELD_DIR, path_bytes("/x"), failed(1, status)));
        EXPECT_EQ(d.path().bytes, "file");
        EXPECT_TRUE(d.path().relative);
    }
    RecordBuilder no_cwd("openat");
    no_cwd.header.ret = -2;
    EXPECT_TRUE(Decoded(no_cwd.field(EBT_FIELD_STRING, "file", arg(1))).path().relative);
}

/// A symlink's target is a text: the directory of the caller says nothing about it.
TEST(Decoder, LeavesATextThatIsNoPathYetAsItIs) {
    auto link_to = [](std::string_view target) {
        RecordBuilder builder("symlinkat");
        builder.header.ret = 0;
        builder.field(EBT_FIELD_CWD, path_bytes("/home/me"));
        builder.field(EBT_FIELD_ROOT, path_bytes("/srv/jail"));
        builder.field(EBT_FIELD_STRING, target, arg(0));
        builder.field(EBT_FIELD_STRING, "link", arg(2));
        return builder;
    };
    Decoded relative(link_to("../target"));
    ASSERT_EQ(relative.event.paths, 2);
    EXPECT_EQ(relative.path(0).bytes, "../target");
    EXPECT_TRUE(relative.path(0).relative);
    EXPECT_FALSE(relative.event.witnessed);
    EXPECT_EQ(relative.path(1).bytes, "/home/me/link");
    EXPECT_FALSE(relative.path(1).relative);
    Decoded absolute(link_to("/etc/shadow"));
    EXPECT_EQ(absolute.path(0).bytes, "/etc/shadow") << "resolved by whoever follows the link";
    EXPECT_FALSE(absolute.path(0).relative);
}

/// After a chdir the cwd is the new one: joining the name to it would be wrong.
TEST(Decoder, TakesTheNewCurrentDirectoryForThePathOfAChdir) {
    RecordBuilder builder("chdir");
    builder.header.ret = 0;
    Decoded d(builder.field(EBT_FIELD_CWD, path_bytes("/home/me/sub")));
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/home/me/sub");
    EXPECT_EQ(d.path().argument, 0);
    EXPECT_EQ(d.path().source, Source::kernel);
    EXPECT_FALSE(d.path().relative);
}

/// After a chroot the root is the new one: an absolute name started from the one before.
TEST(Decoder, TakesTheNewRootForThePathOfAChroot) {
    RecordBuilder builder("chroot");
    builder.header.ret = 0;
    builder.field(EBT_FIELD_CWD, path_bytes("/"));
    EXPECT_EQ(Decoded(builder).path().bytes, "/") << "out of a chroot";
    Decoded d(RecordBuilder(builder).field(EBT_FIELD_ROOT, path_bytes("/srv/jail")));
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/srv/jail");
    EXPECT_EQ(d.path().source, Source::kernel);

    RecordBuilder lost = builder;
    lost.header.flags = EBT_LOST_FIELDS;
    EXPECT_EQ(Decoded(lost).event.paths, 0);
    RecordBuilder failed_call = builder;
    failed_call.header.ret = -1;
    failed_call.field(EBT_FIELD_ROOT, path_bytes("/srv/jail")).field(EBT_FIELD_STRING, "/x", arg(0));
    EXPECT_EQ(Decoded(failed_call).path().bytes, "/srv/jail/x");
}

TEST(Decoder, JoinsThePathOfAChdirThatFailed) {
    RecordBuilder builder("chdir");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_CWD, path_bytes("/home/me"));
    Decoded d(builder.field(EBT_FIELD_STRING, "sub", arg(0)));
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/home/me/sub");
}

TEST(Decoder, MarksANameFromAnotherMountNamespace) {
    Decoded d(named("file").field(EBT_FIELD_DIR, path_bytes("/etc"), flagged(1, EBT_FOREIGN)));
    EXPECT_EQ(d.path().bytes, "/etc/file");
    EXPECT_TRUE(d.path().foreign);
    EXPECT_FALSE(d.path().detached);
}

TEST(Decoder, KeepsTheLengthOfANameThatWasCut) {
    RecordBuilder builder("openat");
    builder.header.ret = -36;
    builder.field(EBT_FIELD_CWD, path_bytes("/home"));
    builder.field(EBT_FIELD_STRING, std::string(4095, 'x'),
                  {.arg = 1, .status = EBT_TRUNCATED, .flags = EBT_AT_LEAST, .original = 4096});
    Decoded d(builder);
    EXPECT_EQ(d.path().bytes, "/home/" + std::string(4095, 'x'));
    EXPECT_EQ(d.path().status, Status::truncated);
    EXPECT_EQ(d.path().original_length, 4096u + 6);
    EXPECT_TRUE(d.path().length_is_minimum);
    EXPECT_FALSE(d.path().relative);
}

TEST(Decoder, ReportsANameThatCouldNotBeRead) {
    RecordBuilder builder("openat");
    builder.field(EBT_FIELD_STRING, "", failed(1, EBT_FAULT));
    Decoded d(builder);
    EXPECT_EQ(d.path().status, Status::fault);
    EXPECT_FALSE(d.path().known());
}

// --- which field is which path ---

TEST(Decoder, OrdersPathsByArgument) {
    RecordBuilder builder("renameat");
    builder.field(EBT_FIELD_STRING, "new", arg(3));
    builder.field(EBT_FIELD_DIR, path_bytes("/two"), arg(3));
    builder.field(EBT_FIELD_STRING, "old", arg(1));
    builder.field(EBT_FIELD_DIR, path_bytes("/one"), arg(1));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 2);
    EXPECT_EQ(d.path(0).bytes, "/one/old");
    EXPECT_EQ(d.path(0).argument, 1);
    EXPECT_EQ(d.path(1).bytes, "/two/new");
    EXPECT_EQ(d.path(1).argument, 3);
}

TEST(Decoder, TakesTheReturnedFileForThePathOfTheCall) {
    RecordBuilder builder("openat");
    builder.header.ret = 3;
    builder.file(EBT_FIELD_FILE, "/real/name", regular, arg(EBT_ARG_RET));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/real/name");
    EXPECT_EQ(d.path().argument, 1);

    builder.field(EBT_FIELD_STRING, "link", arg(1));
    Decoded both(builder);
    ASSERT_EQ(both.event.paths, 1) << "one argument, one path";
    EXPECT_EQ(both.path().bytes, "/real/name");
    EXPECT_EQ(both.event.strings, 0);
}

TEST(Decoder, FallsBackToTheNameWhenTheFileIsGone) {
    RecordBuilder builder = named("link");
    builder.header.ret = 3;
    builder.field(EBT_FIELD_FILE, "", failed(EBT_ARG_RET, EBT_UNAVAILABLE));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/home/me/link");
}

TEST(Decoder, KeepsTheReturnedFileOfACallWithoutPath) {
    RecordBuilder builder("memfd_create");
    builder.header.ret = 3;
    builder.field(EBT_FIELD_STRING, "secret", arg(0));
    builder.field(EBT_FIELD_FILE,
                  RecordBuilder::bytes_of(ebt_inode{9, 0, S_IFREG, 0, 0, 0, 0}) + "memfd:secret\0"s,
                  flagged(EBT_ARG_RET, EBT_DETACHED));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/memfd:secret");
    EXPECT_EQ(d.path().argument, EBT_ARG_RET);
    ASSERT_EQ(d.event.strings, 1);
    EXPECT_EQ(d.event.string[0].bytes, "secret");
    EXPECT_EQ(d.event.string[0].argument, 0);
}

TEST(Decoder, ShowsADescriptorWithoutFile) {
    RecordBuilder builder("copy_file_range");
    builder.field(EBT_FIELD_FILE, "", failed(0, EBT_UNAVAILABLE));
    builder.file(EBT_FIELD_FILE, "/out", regular, arg(2));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 2);
    EXPECT_EQ(d.path(0).status, Status::unavailable);
    EXPECT_FALSE(d.path(0).has_inode);
    EXPECT_EQ(d.path(1).bytes, "/out");
}

TEST(Decoder, SaysThatMorePathsCameThanItHolds) {
    RecordBuilder builder("read");
    for (uint8_t i = 0; i < 6; i++)
        builder.file(EBT_FIELD_FILE, "/f" + std::to_string(i), regular, arg(i));
    Decoded d(builder);
    ASSERT_TRUE(d.good);
    EXPECT_EQ(d.event.paths, 4);
    EXPECT_EQ(d.path(3).bytes, "/f3");
    EXPECT_TRUE(d.event.lost_fields);
    EXPECT_EQ(d.decoder.defects(Defect::excess), 2u);
}

} // namespace
