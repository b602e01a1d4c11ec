// SPDX-License-Identifier: MIT
// What other threads could have changed, calls that never ran, and namespaces.
#include "telemetry/event/facts.hpp"
#include "test/unit/event/decoder_support.hpp"

using namespace decoder_test;

namespace {

RecordBuilder shared(RecordBuilder builder, uint8_t what) {
    builder.header.shared = what;
    return builder;
}

TEST(DecoderShared, MarksNothingWhereNobodyShares) {
    const Decoded d(named("file"));
    EXPECT_FALSE(d.path().shared || d.event.cwd.shared || d.event.socket_shared);
}

TEST(DecoderShared, MarksWhatComesFromMemoryThatIsShared) {
    const Decoded d(shared(named("/etc/x"), EBT_SHARED_MEMORY));
    EXPECT_TRUE(d.path().shared);
    EXPECT_FALSE(d.event.cwd.shared);
    RecordBuilder exec("execve");
    exec.header.ret = -2;
    exec.field(EBT_FIELD_ARGV, RecordBuilder::list({"x"}), {.arg = 1, .flags = EBT_USER_MEMORY});
    EXPECT_TRUE(Decoded(shared(exec, EBT_SHARED_MEMORY)).event.exec_argv.shared);
    EXPECT_FALSE(Decoded(shared(exec, EBT_SHARED_FILES | EBT_SHARED_FS)).event.exec_argv.shared);
}

TEST(DecoderShared, MarksWhatStartsFromADirectoryThatIsShared) {
    const Decoded relative(shared(named("file"), EBT_SHARED_FS));
    EXPECT_TRUE(relative.path().shared);
    EXPECT_TRUE(relative.event.cwd.shared);
    EXPECT_FALSE(Decoded(shared(named("/file"), EBT_SHARED_FS)).path().shared);
    const RecordBuilder at = named("file").field(EBT_FIELD_DIR, path_bytes("/etc"), arg(1));
    EXPECT_TRUE(Decoded(shared(at, EBT_SHARED_FILES)).path().shared);
    EXPECT_FALSE(Decoded(shared(at, EBT_SHARED_FS)).path().shared) << "the descriptor, not the cwd";
    EXPECT_FALSE(Decoded(shared(named("file"), EBT_SHARED_FILES)).path().shared);
}

TEST(DecoderShared, MarksTheFileBehindADescriptorThatIsShared) {
    RecordBuilder builder("fchmod");
    builder.header.ret = 0;
    builder.file(EBT_FIELD_FILE, "/etc/x", regular, arg(0));
    EXPECT_TRUE(Decoded(shared(builder, EBT_SHARED_FILES)).path().shared);
    EXPECT_FALSE(Decoded(shared(builder, EBT_SHARED_FS | EBT_SHARED_MEMORY)).path().shared);
}

/// Whether or not the open made the file: another thread could have put another file in its place by the end.
TEST(DecoderShared, MarksTheFileThatAnOpenReturned) {
    for (const uint8_t flags : {uint8_t{0}, uint8_t{EBT_CREATED}}) {
        RecordBuilder builder("openat");
        builder.file(EBT_FIELD_FILE, "/etc/x", regular, flagged(EBT_ARG_RET, flags));
        EXPECT_TRUE(Decoded(shared(builder, EBT_SHARED_FILES)).path().shared);
        EXPECT_FALSE(Decoded(shared(builder, EBT_SHARED_FS | EBT_SHARED_MEMORY)).path().shared);
    }
}

TEST(DecoderShared, MarksTheEndsOfASocketWhoseDescriptorIsShared) {
    RecordBuilder builder("connect");
    builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(ebt_socket{}), arg(0));
    builder.field(EBT_FIELD_SOCKADDR, "xx", {.arg = 1, .flags = EBT_USER_MEMORY});
    const Decoded files(shared(builder, EBT_SHARED_FILES));
    EXPECT_TRUE(files.event.socket_shared);
    EXPECT_FALSE(files.event.sockaddr.shared);
    const Decoded memory(shared(builder, EBT_SHARED_MEMORY));
    EXPECT_FALSE(memory.event.socket_shared);
    EXPECT_TRUE(memory.event.sockaddr.shared);
}

/// The kernel acted on it: whoever shares what, it is right.
TEST(DecoderShared, LeavesWhatWasWitnessed) {
    RecordBuilder builder = named("file");
    builder.header.row = ebpf_loader::row_of(*ebpf_loader::find_syscall("unlinkat"));
    builder.file(EBT_FIELD_WITNESS, "/etc/x", regular, arg(0));
    const Decoded d(shared(builder, EBT_SHARED_FILES | EBT_SHARED_FS | EBT_SHARED_MEMORY));
    ASSERT_EQ(d.path().bytes, "/etc/x");
    EXPECT_FALSE(d.path().shared);
    EXPECT_TRUE(d.event.cwd.shared);
}

TEST(DecoderExecution, ACallThatNeverRanIsNoSuccess) {
    RecordBuilder builder = named("/etc/x");
    builder.header.ret = 257;
    EXPECT_TRUE(Decoded(builder).event.success());
    builder.header.execution = EBT_SECCOMP | EBT_UNPROVEN;
    EXPECT_TRUE(Decoded(builder).event.success());
    EXPECT_TRUE(Decoded(builder).event.unproven());
    builder.header.execution = EBT_SECCOMP | EBT_SKIPPED;
    EXPECT_FALSE(Decoded(builder).event.success());
    EXPECT_TRUE(Decoded(builder).event.skipped());
}

TEST(DecoderExecution, AnExecThatNeverRanExecutesNothing) {
    RecordBuilder builder = executed();
    builder.header.execution = EBT_TRACED | EBT_SKIPPED;
    EXPECT_EQ(Decoded(builder).event.paths, 0);
    builder.header.execution = 0;
    EXPECT_EQ(Decoded(builder).event.paths, 1);
}

TEST(DecoderNamespaces, ComeWithTheImage) {
    RecordBuilder builder = executed();
    builder.field(EBT_FIELD_NAMESPACES, RecordBuilder::bytes_of(ebt_namespaces{1, 2, 3, 0}));
    const ImageNamespaces expected{1, 2, 3};
    EXPECT_EQ(Decoded(builder).event.image.namespaces, expected);
    const Decoded cut(executed().field(EBT_FIELD_NAMESPACES, "abc"));
    EXPECT_EQ(cut.event.image.namespaces, ImageNamespaces{});
    EXPECT_TRUE(cut.event.lost_fields);
}

TEST(DecoderCapabilities, ComeWithTheImage) {
    RecordBuilder builder = executed();
    builder.field(EBT_FIELD_CAPABILITIES, RecordBuilder::bytes_of(ebt_capabilities{5, 1}));
    const Capabilities expected{true, 5, 1};
    EXPECT_EQ(Decoded(builder).event.image.capabilities, expected);
    EXPECT_FALSE(Decoded(executed()).event.image.capabilities.known);
    const Decoded cut(executed().field(EBT_FIELD_CAPABILITIES, "abc"));
    EXPECT_FALSE(cut.event.image.capabilities.known);
    EXPECT_TRUE(cut.event.lost_fields);
}

TEST(DecoderCapabilities, ComeWithAChangeOfCredentials) {
    RecordBuilder builder("setuid");
    EXPECT_EQ(new_capabilities(Decoded(builder).event), nullptr);
    builder.field(EBT_FIELD_CAPABILITIES, RecordBuilder::bytes_of(ebt_capabilities{5, 1}));
    const Decoded good(builder);
    const Capabilities expected{true, 5, 1};
    EXPECT_EQ(good.event.capabilities, expected);
    EXPECT_EQ(new_capabilities(good.event), &good.event.capabilities);
    builder.header.ret = -1;
    EXPECT_EQ(new_capabilities(Decoded(builder).event), nullptr);
}

} // namespace
