// SPDX-License-Identifier: MIT
// What the kernel acted on, beside what the caller wrote.
#include "test/unit/event/decoder_support.hpp"

using namespace decoder_test;
using namespace std::string_literals;

namespace {

constexpr ebt_inode unnamed{};

RecordBuilder& named(RecordBuilder& builder, uint8_t argument, std::string_view name) {
    return builder.field(EBT_FIELD_STRING, name, flagged(argument, EBT_USER_MEMORY));
}

std::string socket_address(std::string_view bytes) {
    std::string storage(bytes);
    storage.resize(128);
    return storage;
}

TEST(DecoderWitness, IsThePathAndKeepsWhatWasCalled) {
    RecordBuilder builder("unlink");
    builder.file(EBT_FIELD_WITNESS, "/etc/passwd", regular, arg(0));
    builder.field(EBT_FIELD_CWD, path_bytes("/tmp"));
    Decoded d(named(builder, 0, "../etc/./passwd"));
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/etc/passwd");
    EXPECT_EQ(d.path().source, Source::kernel);
    EXPECT_EQ(d.path().argument, 0);
    EXPECT_TRUE(d.path().has_inode);
    EXPECT_EQ(d.event.witnessed->called[0].bytes, "/tmp/../etc/./passwd");
    EXPECT_EQ(d.event.witnessed->called[0].source, Source::user_memory);
    EXPECT_FALSE(d.event.unwitnessed || d.event.lost_fields);
}

TEST(DecoderWitness, SaysNothingOfTheSamePath) {
    RecordBuilder builder("mkdir");
    builder.file(EBT_FIELD_WITNESS, "/tmp/new", unnamed, arg(0));
    builder.field(EBT_FIELD_CWD, path_bytes("/tmp"));
    Decoded d(named(builder, 0, "new"));
    EXPECT_EQ(d.path().bytes, "/tmp/new");
    EXPECT_FALSE(d.path().has_inode) << "nothing was there yet";
    EXPECT_EQ(d.event.witnessed->called[0].status, Status::absent);
}

/// Before Linux 4.19 the file itself does not say so.
TEST(DecoderWitness, SaysThatAnOpenMadeItsFile) {
    const auto is_created = [](std::string_view call, std::string_view made, std::string_view opened) {
        RecordBuilder builder(call);
        builder.file(EBT_FIELD_WITNESS, made, unnamed, arg(0));
        builder.file(EBT_FIELD_FILE, opened, regular, arg(EBT_ARG_RET));
        Decoded d(builder);
        EXPECT_EQ(d.path().bytes, opened);
        return d.path().created;
    };
    EXPECT_TRUE(is_created("openat", "/tmp/new", "/tmp/new"));
    EXPECT_FALSE(is_created("openat", "/upper/work/#1", "/etc/hosts")) << "overlayfs copied what was opened";
}

TEST(DecoderWitness, FindsTheArgumentsOfTwoPaths) {
    RecordBuilder builder("renameat2");
    builder.file(EBT_FIELD_WITNESS, "/a/old", regular, arg(0));
    builder.file(EBT_FIELD_WITNESS, "/a/new", unnamed, arg(1));
    named(builder, 1, "/x/old");
    Decoded d(named(builder, 3, "/x/new"));
    ASSERT_EQ(d.event.paths, 2);
    EXPECT_EQ(d.path(0).bytes, "/a/old");
    EXPECT_EQ(d.path(0).argument, 1);
    EXPECT_EQ(d.path(1).bytes, "/a/new");
    EXPECT_EQ(d.path(1).argument, 3);
}

TEST(DecoderWitness, LeavesALinksTargetAlone) {
    RecordBuilder builder("symlink");
    builder.file(EBT_FIELD_WITNESS, "/a/link", unnamed, arg(0));
    named(builder, 0, "target");
    Decoded d(named(builder, 1, "/b/../a/link"));
    ASSERT_EQ(d.event.paths, 2);
    EXPECT_EQ(d.path(0).bytes, "target");
    EXPECT_EQ(d.path(1).bytes, "/a/link");
}

TEST(DecoderWitness, TellsWhichFileADescriptorWas) {
    RecordBuilder builder("fchmod");
    builder.file(EBT_FIELD_WITNESS, "/a/secret", regular, arg(0));
    builder.file(EBT_FIELD_FILE, "/a/innocent", {8, 0, S_IFREG | 0600, 0, 0}, arg(0));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_EQ(d.path().bytes, "/a/secret");
    EXPECT_EQ(d.path().inode.ino, regular.ino);
    EXPECT_EQ(d.event.witnessed->called[0].status, Status::absent);
}

TEST(DecoderWitness, KeepsAnOpenedFileAsItsDescriptorHasIt) {
    RecordBuilder builder("openat");
    builder.header.ret = 3;
    builder.file(EBT_FIELD_WITNESS, "/a/new", unnamed, arg(0));
    builder.file(EBT_FIELD_FILE, "/a/new", regular, arg(EBT_ARG_RET));
    Decoded d(builder);
    ASSERT_EQ(d.event.paths, 1);
    EXPECT_TRUE(d.path().has_inode);
}

TEST(DecoderWitness, TellsAScriptFromItsInterpreter) {
    for (const char* call : {"execve", "execveat"}) {
        RecordBuilder builder(call);
        builder.header.flags = EBT_IMAGE;
        builder.file(EBT_FIELD_WITNESS, "/tmp/script", regular, arg(0));
        builder.file(EBT_FIELD_WITNESS, "/bin/dash", regular, arg(1));
        builder.file(EBT_FIELD_EXE, "/bin/dash", regular);
        Decoded d(builder);
        ASSERT_EQ(d.event.paths, 1);
        EXPECT_EQ(d.path().bytes, "/tmp/script");
        EXPECT_EQ(d.event.witnessed->interpreter.bytes, "/bin/dash");
        EXPECT_EQ(d.event.image.exe.bytes, "/bin/dash");
    }
}

TEST(DecoderWitness, HasEachAddressOnce) {
    RecordBuilder builder("sendmmsg");
    builder.field(EBT_FIELD_WITNESS_ADDRESS, socket_address("\2\0first"s), {.arg = 0, .original = 7});
    builder.field(EBT_FIELD_WITNESS_ADDRESS, socket_address("\2\0other"s), {.arg = 1, .original = 7});
    builder.field(EBT_FIELD_SOCKADDR, "\2\0decoy"s, flagged(1, EBT_USER_MEMORY));
    Decoded d(builder);
    ASSERT_EQ(d.event.witnessed->addresses, 2);
    EXPECT_EQ(d.event.sockaddr.bytes, "\2\0first"s);
    EXPECT_EQ(d.event.sockaddr.source, Source::kernel);
    EXPECT_EQ(d.event.witnessed->address[1].bytes, "\2\0other"s);
    EXPECT_EQ(d.event.witnessed->address_count, 2u);
    EXPECT_FALSE(d.event.lost_fields);
}

TEST(DecoderWitness, BelievesNoAddressThatTheKernelWasNotGiven) {
    RecordBuilder builder("sendto");
    builder.field(EBT_FIELD_WITNESS_ADDRESS, "", failed(0, EBT_UNAVAILABLE));
    builder.field(EBT_FIELD_SOCKADDR, "\2\0decoy"s, flagged(4, EBT_USER_MEMORY));
    EXPECT_EQ(Decoded(builder).event.sockaddr.status, Status::absent);
}

TEST(DecoderWitness, SaysThatThereShouldHaveBeenOne) {
    RecordBuilder builder("chmod");
    builder.field(EBT_FIELD_WITNESS, "", failed(EBT_ARG_NONE, EBT_UNAVAILABLE));
    Decoded d(named(builder, 0, "/etc/passwd"));
    EXPECT_TRUE(d.event.unwitnessed);
    EXPECT_EQ(d.path().source, Source::user_memory);
}

TEST(DecoderWitness, TakesAnythingWithoutHarm) {
    for (const char* call : {"chmod", "getppid", "execve", "openat", "connect"})
        for (uint8_t argument = 0; argument < 8; argument++) {
            RecordBuilder builder(call);
            builder.field(EBT_FIELD_WITNESS, "short", arg(argument));
            builder.field(EBT_FIELD_WITNESS, "again", arg(argument));
            for (int i = 0; i < 10; i++)
                builder.field(EBT_FIELD_WITNESS_ADDRESS, "x", {.arg = argument, .original = 500});
            Decoded d(builder);
            EXPECT_TRUE(d.good);
            EXPECT_TRUE(d.event.lost_fields);
        }
}

} // namespace
