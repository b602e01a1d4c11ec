// SPDX-License-Identifier: MIT
#include "telemetry/event/decoder.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include "test/unit/support/record_builder.hpp"

using namespace telemetry;
using namespace std::string_literals;

namespace {

constexpr ebt_inode regular{7, 0, S_IFREG | 0644, 10, 20};

/// A decoded record; the event's views stay valid as long as this does.
struct Decoded {
    explicit Decoded(const RecordBuilder& builder)
        : bytes(builder.bytes()), good(decoder.decode(bytes, event)) {}
    const PathField& path(size_t index = 0) const {
        EXPECT_LT(index, event.paths);
        return event.path.at(index);
    }

    Decoder decoder;
    Event event;
    std::vector<std::byte> bytes;
    bool good;
};

RecordBuilder::Detail arg(uint8_t index) {
    return {.arg = index};
}
RecordBuilder::Detail failed(uint8_t index, uint8_t status) {
    return {.arg = index, .status = status};
}
RecordBuilder::Detail flagged(uint8_t index, uint8_t flags) {
    return {.arg = index, .flags = flags};
}
std::string path_bytes(std::string_view path) {
    return RecordBuilder::components(path);
}

/// A failed openat of a name in user memory, seen from /home/me.
RecordBuilder named(std::string_view name) {
    RecordBuilder builder("openat");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_CWD, path_bytes("/home/me"));
    builder.field(EBT_FIELD_STRING, name, {.arg = 1, .flags = EBT_USER_MEMORY});
    return builder;
}

TEST(Decoder, CopiesTheHeader) {
    RecordBuilder builder("openat");
    ebt_header& h = builder.header;
    h.abi = EBT_I386;
    h.nr = 295;
    h.ret = -13;
    h.sequence = 77;
    h.cpu = 3;
    h.slot = 1;
    h.missing = EBT_MISSING_PPID;
    h.uid = 1, h.gid = 2, h.suid = 3, h.sgid = 4, h.euid = 5, h.egid = 6, h.fsuid = 7, h.fsgid = 8;
    h.auid = 9, h.ses = 10;
    for (int i = 0; i < EBT_ARGS; i++)
        h.args[i] = 0xf000000000000000 + i;
    Decoded d(builder);
    ASSERT_TRUE(d.good);
    const Event& e = d.event;
    EXPECT_EQ(e.kind, EBT_SYSCALL);
    EXPECT_EQ(e.abi, EBT_I386);
    ASSERT_NE(e.call, nullptr);
    EXPECT_EQ(e.call->name, "openat");
    EXPECT_EQ(e.row, h.row);
    EXPECT_EQ(e.nr, 295);
    EXPECT_EQ(e.ret, -13);
    EXPECT_TRUE(e.returns);
    EXPECT_FALSE(e.success());
    EXPECT_EQ(e.sequence, 77u);
    EXPECT_EQ(e.cpu, 3);
    EXPECT_EQ(e.slot, 1);
    EXPECT_EQ(e.missing, uint32_t{EBT_MISSING_PPID});
    EXPECT_EQ(e.pid, 100u);
    EXPECT_EQ(e.tid, 101u);
    EXPECT_EQ(e.ppid, 1u);
    EXPECT_EQ(e.exec_id, 3u);
    EXPECT_EQ(e.start_time_ns, 1'000'000'000u);
    EXPECT_EQ(std::vector({e.uid, e.gid, e.suid, e.sgid, e.euid, e.egid, e.fsuid, e.fsgid, e.auid, e.ses}),
              (std::vector<uint32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    EXPECT_EQ(e.args[5], 0xf000000000000005);
    EXPECT_EQ(e.comm, "prog");
    EXPECT_FALSE(e.carries_image || e.lost_fields);
}

TEST(Decoder, ReadsTheFlagsOfARecord) {
    RecordBuilder builder;
    builder.header.kind = EBT_EXIT;
    builder.header.flags = EBT_NO_RETURN | EBT_IMAGE | EBT_LOST_FIELDS;
    Decoded d(builder);
    ASSERT_TRUE(d.good);
    EXPECT_EQ(d.event.kind, EBT_EXIT);
    EXPECT_EQ(d.event.call, nullptr);
    EXPECT_TRUE(d.event.carries_image && d.event.lost_fields);
    EXPECT_FALSE(d.event.returns || d.event.success());
}

TEST(Decoder, AddsTheWallClockOffset) {
    auto bytes = RecordBuilder().bytes();
    Decoder decoder;
    Event event;
    decoder.set_wall_clock_offset(1'700'000'000'000'000'000);
    ASSERT_TRUE(decoder.decode(bytes, event));
    EXPECT_EQ(event.time_ns, 1'700'000'005'000'000'000u);
    decoder.set_wall_clock_offset(-1'000'000'000);
    ASSERT_TRUE(decoder.decode(bytes, event));
    EXPECT_EQ(event.time_ns, 4'000'000'000u);
}

TEST(Decoder, TakesACommandNameWithoutNul) {
    RecordBuilder builder;
    std::memset(builder.header.comm, 'x', EBT_COMM_LEN);
    Decoded d(builder);
    EXPECT_EQ(d.event.comm, std::string(EBT_COMM_LEN, 'x'));
}

TEST(Decoder, KnowsNoCallForAnUnknownRow) {
    RecordBuilder builder;
    builder.header.row = EBT_ROWS - 1;
    builder.header.nr = 999;
    builder.field(EBT_FIELD_STRING, "text", arg(0));
    Decoded d(builder);
    ASSERT_TRUE(d.good);
    EXPECT_EQ(d.event.call, nullptr);
    EXPECT_EQ(d.event.paths, 0);
    ASSERT_EQ(d.event.strings, 1);
    EXPECT_EQ(d.event.string[0].bytes, "text");
}

// --- paths as components ---

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
        ebt_inode inode{7, c.magic, c.mode, 0, 0};
        builder.field(EBT_FIELD_FILE, RecordBuilder::bytes_of(inode) + std::string(c.components),
                      flagged(0, EBT_DETACHED));
        Decoded d(builder);
        EXPECT_EQ(d.path().bytes, c.expected);
        EXPECT_TRUE(d.path().detached);
        EXPECT_FALSE(d.path().relative);
    }
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
    EXPECT_EQ(Decoded(named("/etc/../etc//passwd")).path().bytes, "/etc/../etc//passwd");
    EXPECT_EQ(Decoded(named("/")).path().bytes, "/");
}

TEST(Decoder, DropsADotInFrontOnly) {
    EXPECT_EQ(Decoded(named("./file")).path().bytes, "/home/me/file");
    EXPECT_EQ(Decoded(named(".//././file")).path().bytes, "/home/me/file");
    EXPECT_EQ(Decoded(named(".")).path().bytes, "/home/me");
    EXPECT_EQ(Decoded(named("./")).path().bytes, "/home/me");
    EXPECT_EQ(Decoded(named("../file")).path().bytes, "/home/me/../file");
    EXPECT_EQ(Decoded(named("a/./b")).path().bytes, "/home/me/a/./b");
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
    builder.field(EBT_FIELD_FILE, RecordBuilder::bytes_of(ebt_inode{9, 0, S_IFREG, 0, 0}) + "memfd:secret\0"s,
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

// --- the image ---

RecordBuilder executed() {
    RecordBuilder builder("execve");
    builder.header.flags = EBT_IMAGE;
    builder.file(EBT_FIELD_EXE, "/usr/bin/env", {5, 0, S_IFREG | 0755, 0, 0});
    builder.field(EBT_FIELD_IMAGE_ARGV, RecordBuilder::list({"env", "", "a b\n"}),
                  flagged(EBT_ARG_NONE, EBT_USER_MEMORY));
    builder.field(EBT_FIELD_TTY, "pts0");
    return builder;
}

TEST(Decoder, ReadsTheImage) {
    Decoded d(executed());
    ASSERT_TRUE(d.event.carries_image);
    const Image& image = d.event.image;
    EXPECT_EQ(image.exe.bytes, "/usr/bin/env");
    EXPECT_EQ(image.exe.argument, EBT_ARG_NONE);
    EXPECT_EQ(image.exe.inode.mode, uint32_t{S_IFREG | 0755});
    EXPECT_EQ(image.argv.bytes, "env\0\0a b\n\0"s);
    EXPECT_EQ(image.argv.count, 3u);
    EXPECT_EQ(image.argv.source, Source::user_memory);
    EXPECT_EQ(image.tty.bytes, "pts0");
}

TEST(Decoder, TakesTheExecutableForThePathOfASuccessfulExec) {
    Decoded d(executed());
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/usr/bin/env");
    EXPECT_EQ(d.path().argument, 0);
    EXPECT_TRUE(d.path().has_inode);

    RecordBuilder failing = executed();
    failing.header.ret = -2;
    EXPECT_EQ(Decoded(failing).event.paths, 0);
    EXPECT_EQ(Decoded(executed().field(EBT_FIELD_STRING, "/named", arg(0))).path().bytes, "/named");
}

TEST(Decoder, CountsTheStringsThatAreThere) {
    RecordBuilder builder("execve");
    builder.header.ret = -2;
    builder.field(EBT_FIELD_ARGV, "a\0bc\0cut"s, {.arg = 1, .status = EBT_TRUNCATED, .original = 40000});
    Decoded d(builder);
    EXPECT_EQ(d.event.exec_argv.count, 3u);
    EXPECT_EQ(d.event.exec_argv.bytes, "a\0bc\0cut"s);
    EXPECT_EQ(d.event.exec_argv.status, Status::truncated);
    EXPECT_EQ(d.event.exec_argv.original_length, 40000u);
    EXPECT_EQ(Decoded(RecordBuilder("execve").field(EBT_FIELD_ARGV, "", arg(1))).event.exec_argv.count, 0u);
}

// --- the rest ---

TEST(Decoder, ReadsAddressesAndSockets) {
    ebt_socket socket{AF_INET6, SOCK_STREAM, 6, 1234, 443, {1, 2}, {3, 4}};
    RecordBuilder builder("connect");
    builder.field(EBT_FIELD_SOCKADDR, "\x0a\0raw"s, arg(1));
    builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(socket), arg(0));
    Decoded d(builder);
    EXPECT_EQ(d.event.sockaddr.bytes, "\x0a\0raw"s);
    EXPECT_EQ(d.event.sockaddr_argument, 1);
    EXPECT_EQ(d.event.socket_status, Status::ok);
    EXPECT_EQ(d.event.socket.family, AF_INET6);
    EXPECT_EQ(d.event.socket.type, SOCK_STREAM);
    EXPECT_EQ(d.event.socket.protocol, 6);
    EXPECT_EQ(d.event.socket.local_port, 1234);
    EXPECT_EQ(d.event.socket.remote_port, 443);
    EXPECT_EQ(d.event.socket.local[1], 2);
    EXPECT_EQ(d.event.socket.remote[1], 4);
}

TEST(Decoder, ReadsTheChildOfAFork) {
    RecordBuilder builder;
    builder.header.kind = EBT_FORK;
    builder.field(EBT_FIELD_CHILD, RecordBuilder::bytes_of(ebt_child{42, 7, 8}));
    Decoded d(builder);
    EXPECT_EQ(d.event.child_status, Status::ok);
    EXPECT_EQ(d.event.child_pid, 7u);
    EXPECT_EQ(d.event.child_start_time_ns, 42u);
}

TEST(Decoder, ReadsStreamsOpenedAside) {
    for (const uint32_t direction : {0u, 2u, 3u, 4u}) {
        RecordBuilder builder;
        builder.header.kind = EBT_STREAM;
        builder.field(EBT_FIELD_STREAM, RecordBuilder::bytes_of(ebt_stream{7, 0, 8, direction}));
        Decoded d(builder);
        EXPECT_EQ(d.event.stream_status, direction <= EBT_CONNECTED_ASIDE ? Status::ok : Status::unavailable);
        if (direction <= EBT_CONNECTED_ASIDE) {
            EXPECT_EQ(d.event.stream.direction, static_cast<ebt_direction>(direction));
        }
    }
}

TEST(Decoder, ReadsTheCallersStack) {
    ebt_registers registers{};
    registers.ip = 0x401000;
    registers.sp = 0x7ffe0000;
    RecordBuilder builder;
    builder.header.kind = EBT_STREAM;
    builder.field(EBT_FIELD_USER_STACK, RecordBuilder::bytes_of(registers) + "stack of the caller");
    Decoded d(builder);
    EXPECT_EQ(d.event.user_stack_status, Status::ok);
    EXPECT_EQ(d.event.user_stack.registers.ip, 0x401000u);
    EXPECT_EQ(d.event.user_stack.registers.sp, 0x7ffe0000u);
    EXPECT_EQ(d.event.user_stack.memory, "stack of the caller");

    RecordBuilder without;
    without.field(EBT_FIELD_USER_STACK, "", {.status = EBT_UNAVAILABLE});
    EXPECT_EQ(Decoded(without).event.user_stack_status, Status::unavailable);
    EXPECT_FALSE(Decoded(without).event.lost_fields);
    RecordBuilder cut;
    cut.field(EBT_FIELD_USER_STACK, "short");
    EXPECT_EQ(Decoded(cut).event.user_stack_status, Status::unavailable);
    EXPECT_TRUE(Decoded(cut).event.lost_fields);
}

TEST(Decoder, PassesOnEveryStatus) {
    const std::pair<uint8_t, Status> statuses[] = {{EBT_OK, Status::ok},
                                                   {EBT_TRUNCATED, Status::truncated},
                                                   {EBT_FAULT, Status::fault},
                                                   {EBT_UNAVAILABLE, Status::unavailable}};
    ebt_socket socket{};
    ebt_child child{};
    for (auto [raw, status] : statuses) {
        RecordBuilder builder("connect");
        RecordBuilder::Detail detail{.arg = 0, .status = raw};
        builder.field(EBT_FIELD_TTY, "tty1", detail).field(EBT_FIELD_IMAGE_ARGV, "", detail);
        builder.field(EBT_FIELD_SOCKADDR, "", detail).field(EBT_FIELD_ARGV, "", detail);
        builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(socket), detail);
        builder.field(EBT_FIELD_CHILD, RecordBuilder::bytes_of(child), detail);
        builder.field(EBT_FIELD_CWD, "", detail).field(EBT_FIELD_ROOT, "", detail);
        builder.file(EBT_FIELD_EXE, "/exe", regular, detail).file(EBT_FIELD_FILE, "/file", regular, detail);
        Decoded d(builder);
        const Event& e = d.event;
        for (Status found :
             {e.image.tty.status, e.image.argv.status, e.sockaddr.status, e.exec_argv.status, e.socket_status,
              e.child_status, e.cwd.status, e.root.status, e.image.exe.status, d.path().status})
            EXPECT_EQ(found, status);
        EXPECT_FALSE(e.lost_fields);
    }
}

// --- records that no eBPF program makes ---

/// Changes the header behind the builder's back.
template <typename Change> bool refused_with(Defect defect, Change change) {
    auto bytes = RecordBuilder("read").field(EBT_FIELD_TTY, "tty1").bytes();
    ebt_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    Decoder decoder;
    Event event;
    return !decoder.decode(bytes, event) && decoder.defects(defect) == 1 && decoder.refused() == 1;
}

TEST(Decoder, RefusesAnImpossibleHeader) {
    EXPECT_TRUE(refused_with(Defect::version, [](ebt_header& h) { h.version++; }));
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.kind = 0; }));
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.kind = EBT_STREAM + 1; }));
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.abi = EBT_ABIS; }));
    EXPECT_TRUE(refused_with(Defect::size, [](ebt_header& h) { h.size += 8; }));
    EXPECT_TRUE(refused_with(Defect::size, [](ebt_header& h) { h.size -= 1; }));
    EXPECT_TRUE(refused_with(Defect::size, [](ebt_header& h) { h.size = 0; }));
    EXPECT_TRUE(refused_with(Defect::size, [](ebt_header& h) { h.size = 0xfffffff8; }));
}

TEST(Decoder, RefusesARecordAboveTheLimit) {
    RecordBuilder builder;
    builder.field(EBT_FIELD_TTY, std::string(EBT_RECORD_MAX, 'x'));
    EXPECT_FALSE(Decoded(builder).good);
}

TEST(Decoder, IgnoresWhatFollowsTheRecord) {
    auto bytes = RecordBuilder("read").field(EBT_FIELD_TTY, "tty1").bytes();
    bytes.resize(bytes.size() + 4, std::byte{0xff}); // perf pads its samples
    Decoder decoder;
    Event event;
    EXPECT_TRUE(decoder.decode(bytes, event));
    EXPECT_FALSE(event.lost_fields);
}

/// The event is kept, with what could be read, and says that fields are lost.
Event damaged(Defect defect, const RecordBuilder& builder) {
    Decoded d(builder);
    EXPECT_TRUE(d.good);
    EXPECT_EQ(d.decoder.defects(defect), 1u) << defect_name(defect);
    EXPECT_EQ(d.decoder.refused(), 0u);
    EXPECT_TRUE(d.event.lost_fields);
    EXPECT_EQ(d.event.pid, 100u);
    return d.event;
}

TEST(Decoder, KeepsTheEventOfADamagedRecord) {
    RecordBuilder base("read");
    damaged(Defect::field_kind, RecordBuilder(base).field(99, "?"));
    damaged(Defect::field_status, RecordBuilder(base).field(EBT_FIELD_TTY, "x", failed(0, 9)));
    damaged(Defect::field_arg, RecordBuilder(base).field(EBT_FIELD_STRING, "x", arg(7)));
    damaged(Defect::field_arg, RecordBuilder(base).field(EBT_FIELD_STRING, "x", arg(EBT_ARG_RET)));
    damaged(Defect::field_payload, RecordBuilder(base).field(EBT_FIELD_SOCKET, "short"));
    damaged(Defect::field_payload, RecordBuilder(base).field(EBT_FIELD_CHILD, "short"));
    Event event = damaged(Defect::field_payload, RecordBuilder(base).field(EBT_FIELD_EXE, "short"));
    EXPECT_EQ(event.image.exe.status, Status::unavailable);
    damaged(Defect::repeated, RecordBuilder(base).field(EBT_FIELD_CWD, "").field(EBT_FIELD_CWD, ""));
    damaged(Defect::repeated,
            RecordBuilder(base).field(EBT_FIELD_STRING, "a", arg(1)).field(EBT_FIELD_STRING, "b", arg(1)));

    RecordBuilder more = base, fewer = base;
    more.field(EBT_FIELD_TTY, "tty1").header.fields++;
    EXPECT_EQ(damaged(Defect::field_count, more).image.tty.status, Status::ok);
    fewer.field(EBT_FIELD_TTY, "tty1").header.fields--;
    EXPECT_EQ(damaged(Defect::field_count, fewer).image.tty.status, Status::absent);
}

TEST(Decoder, StopsAtAFieldThatLeavesTheRecord) {
    for (uint32_t length : {9u, 0x7fffffffu, 0xfffffff8u, 0xffffffffu}) {
        auto bytes = RecordBuilder("read").field(EBT_FIELD_TTY, "12345678").bytes();
        std::memcpy(bytes.data() + sizeof(ebt_header) + offsetof(ebt_field, length), &length, sizeof length);
        Decoder decoder;
        Event event;
        EXPECT_TRUE(decoder.decode(bytes, event));
        EXPECT_EQ(decoder.defects(Defect::field_bounds), 1u);
        EXPECT_EQ(event.image.tty.status, Status::absent);
    }
}

// --- any bytes at all ---

/// One record of each shape.
std::vector<RecordBuilder> samples() {
    std::vector<RecordBuilder> list = {executed(), named("./file"), named("/abs")};
    list.push_back(named("x").field(EBT_FIELD_DIR, path_bytes("/a/b/c"), arg(1)));
    list.push_back(named("/x").field(EBT_FIELD_ROOT, path_bytes("/jail")));
    RecordBuilder pipe("read");
    pipe.field(EBT_FIELD_FILE, RecordBuilder::bytes_of(ebt_inode{1, 0x50495045, 0, 0, 0}) + "\0"s,
               flagged(0, EBT_DETACHED));
    list.push_back(pipe);
    RecordBuilder socket("connect");
    socket.field(EBT_FIELD_SOCKADDR, "\2\0\1\2"s, arg(1));
    socket.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(ebt_socket{}), arg(0));
    list.push_back(socket);
    RecordBuilder fork;
    fork.header.kind = EBT_FORK;
    list.push_back(fork.field(EBT_FIELD_CHILD, RecordBuilder::bytes_of(ebt_child{1, 2, 3})));
    RecordBuilder argv("execve");
    argv.header.ret = -2;
    list.push_back(argv.field(EBT_FIELD_ARGV, RecordBuilder::list({"a", "b"}), arg(1)));
    return list;
}

/// Reads every byte that the event refers to: the sanitizer sees what is out of bounds.
size_t touch(const Event& event) {
    size_t sum = 0;
    auto read = [&](std::string_view bytes) {
        for (char c : bytes)
            sum += static_cast<unsigned char>(c);
    };
    for (std::string_view text :
         {event.comm, event.image.exe.bytes, event.image.tty.bytes, event.image.argv.bytes, event.cwd.bytes,
          event.root.bytes, event.exec_argv.bytes, event.sockaddr.bytes})
        read(text);
    for (size_t i = 0; i < event.paths; i++)
        read(event.path[i].bytes);
    for (size_t i = 0; i < event.strings; i++)
        read(event.string[i].bytes);
    return sum;
}

/// In a block of exactly its size, so that one byte beyond is seen.
bool decode_exactly(Decoder& decoder, std::span<const std::byte> bytes, Event& event) {
    std::unique_ptr<std::byte[]> block(new std::byte[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), block.get());
    bool good = decoder.decode({block.get(), bytes.size()}, event);
    if (good)
        touch(event);
    return good;
}

TEST(Decoder, RefusesEveryPrefixOfARecord) {
    Decoder decoder;
    Event event;
    for (const RecordBuilder& sample : samples()) {
        auto bytes = sample.bytes();
        for (size_t size = 0; size < bytes.size(); size++)
            EXPECT_FALSE(decode_exactly(decoder, std::span(bytes).first(size), event)) << size;
        EXPECT_TRUE(decode_exactly(decoder, bytes, event));
        EXPECT_FALSE(event.lost_fields);
    }
}

TEST(Decoder, SurvivesEveryPrefixThatClaimsToBeWhole) {
    Decoder decoder;
    Event event;
    for (const RecordBuilder& sample : samples()) {
        auto bytes = sample.bytes();
        for (uint32_t size = sizeof(ebt_header); size < bytes.size(); size += 8) {
            std::memcpy(bytes.data() + offsetof(ebt_header, size), &size, sizeof size);
            EXPECT_TRUE(decode_exactly(decoder, std::span(bytes).first(size), event)) << size;
            EXPECT_TRUE(event.lost_fields) << size;
        }
    }
}

TEST(Decoder, SurvivesFlippedBits) {
    Decoder decoder;
    Event event;
    uint32_t random = 12345;
    auto next = [&] { return random = random * 1664525 + 1013904223, random >> 8; };
    size_t decoded = 0;
    for (const RecordBuilder& sample : samples()) {
        const auto original = sample.bytes();
        for (int round = 0; round < 5000; round++) {
            auto bytes = original;
            for (uint32_t flips = 1 + next() % 8; flips > 0; flips--)
                bytes[next() % bytes.size()] ^= static_cast<std::byte>(1u << next() % 8);
            decoded += decode_exactly(decoder, bytes, event);
        }
    }
    EXPECT_GT(decoded, 10000u) << "most flips leave the header readable";
}

TEST(Decoder, SurvivesTheLargestRecords) {
    // Every argument relative to a base as long as a record allows.
    RecordBuilder builder("renameat");
    builder.field(EBT_FIELD_CWD, path_bytes("/" + std::string(60000, 'd')));
    for (uint8_t i = 0; i < EBT_ARGS; i++)
        builder.field(EBT_FIELD_STRING, std::string(100, 'f'), arg(i));
    Decoded d(builder);
    ASSERT_TRUE(d.good);
    EXPECT_EQ(d.path(0).bytes.size(), 60000u + 102);
    EXPECT_EQ(d.path(1).bytes, d.path(0).bytes);
    EXPECT_EQ(d.event.strings, 4);
}

} // namespace
