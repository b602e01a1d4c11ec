// SPDX-License-Identifier: MIT
// The file behind a path: what a descriptor is of, whether an open made it, whether its name is gone.
#include "test/unit/event/decoder_support.hpp"

using namespace decoder_test;
using namespace std::string_literals;

namespace {

TEST(Decoder, AnEmptyPathNamesTheFileBehindItsDescriptor) {
    const ebt_inode pipe{7, 0x50495045, S_IFIFO | 0600, 0, 0, 0, 0};
    for (const uint8_t status : {EBT_OK, EBT_UNAVAILABLE}) { // "", or no path at all
        RecordBuilder builder("newfstatat");
        builder.field(EBT_FIELD_CWD, path_bytes("/home/me"));
        builder.field(EBT_FIELD_STRING, "", {.arg = 1, .status = status, .flags = EBT_USER_MEMORY});
        builder.field(EBT_FIELD_DIR, RecordBuilder::bytes_of(pipe) + "\0"s,
                      flagged(1, EBT_WITH_INODE | EBT_DETACHED));
        Decoded d(builder);
        ASSERT_EQ(d.event.paths, 1);
        EXPECT_EQ(d.path().bytes, "pipe:[7]");
        EXPECT_TRUE(d.path().detached);
        EXPECT_FALSE(d.event.lost_fields);
    }
    RecordBuilder damaged("newfstatat");
    damaged.field(EBT_FIELD_STRING, "", arg(1));
    damaged.field(EBT_FIELD_DIR, "short", flagged(1, EBT_WITH_INODE));
    EXPECT_TRUE(Decoded(damaged).event.lost_fields);
}

TEST(Decoder, HasWhatTheKernelSaysOfAFile) {
    RecordBuilder builder("read");
    builder.file(EBT_FIELD_EXE, "/usr/bin/tool", {5, 0, S_IFREG | 0755, 0, 1, 0x10300002, 0},
                 arg(EBT_ARG_NONE));
    builder.file(EBT_FIELD_FILE, "/etc/passwd", regular, arg(0));
    Decoded d(builder);
    EXPECT_EQ(d.event.image.exe.inode, (InodeInfo{5, 0, S_IFREG | 0755, 0, 1, 0x10300002}));
    EXPECT_EQ(d.path().inode, (InodeInfo{7, 0, S_IFREG | 0644, 10, 20, 0x800001}));
    EXPECT_EQ(device_major(d.path().inode.device), 8u);
    EXPECT_EQ(device_minor(d.path().inode.device), 1u);
}

TEST(Decoder, SaysWhichOpensMadeTheirFile) {
    const auto is_created = [](std::string_view call, uint8_t argument, uint8_t flags) {
        RecordBuilder builder(call);
        builder.file(EBT_FIELD_FILE, "/tmp/new", regular, flagged(argument, flags));
        return Decoded(builder).path().created;
    };
    EXPECT_TRUE(is_created("openat", EBT_ARG_RET, EBT_CREATED));
    EXPECT_TRUE(is_created("creat", EBT_ARG_RET, EBT_CREATED));
    EXPECT_FALSE(is_created("openat", EBT_ARG_RET, 0));
    EXPECT_FALSE(is_created("dup", EBT_ARG_RET, EBT_CREATED)); // of a file that an open made
}

TEST(Decoder, SaysWhichPathsLeadNowhereAnyMore) {
    RecordBuilder builder("read");
    builder.file(EBT_FIELD_EXE, "/tmp/tool", regular, flagged(EBT_ARG_NONE, EBT_DELETED));
    builder.file(EBT_FIELD_FILE, "/etc/passwd", regular, arg(0));
    Decoded d(builder);
    EXPECT_TRUE(d.event.image.exe.deleted);
    EXPECT_FALSE(d.path().deleted);
}

} // namespace
