// SPDX-License-Identifier: MIT
#include "test/unit/event/decoder_support.hpp"
#include "test/unit/support/registers.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

using namespace decoder_test;
using namespace std::string_literals;

namespace {

TEST(Decoder, HasTheAddressOfEachMessage) {
    const std::string first("\2\0\0\13\177\0\0\1\0\0\0\0\0\0\0\0", 16);
    const std::string second("\2\0\0\26\177\6\6\6\0\0\0\0\0\0\0\0", 16);
    RecordBuilder builder("sendmmsg");
    builder.header.ret = 20;
    for (const std::string& address : {first, second, second, first})
        builder.field(EBT_FIELD_SOCKADDR, address, {.arg = 1, .flags = EBT_USER_MEMORY});
    Decoded d(builder);
    EXPECT_EQ(d.event.sockaddr.bytes, first);
    ASSERT_NE(d.event.witnessed, nullptr);
    ASSERT_EQ(d.event.witnessed->addresses, 3);
    EXPECT_EQ(d.event.witnessed->address[1].bytes, second);
    EXPECT_EQ(d.event.witnessed->address[2].bytes, first);
    EXPECT_EQ(d.event.witnessed->address_count, 20u) << "more than are kept";
    EXPECT_FALSE(d.event.lost_fields);
}

/// Records that were written before the clock was set keep the time that it was then.
TEST(Decoder, FollowsTheClock) {
    Decoder decoder;
    Event event;
    decoder.set_wall_clock_offset(1'000'000'000'000);
    decoder.step_wall_clock(3'000'000'000'000, 5'000'000'000);
    RecordBuilder builder("read");
    builder.header.time = 4'999'999'999;
    ASSERT_TRUE(decoder.decode(builder.bytes(), event));
    EXPECT_EQ(event.time_ns, 1'004'999'999'999u);
    builder.header.time = 5'000'000'000;
    ASSERT_TRUE(decoder.decode(builder.bytes(), event));
    EXPECT_EQ(event.time_ns, 3'005'000'000'000u);
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

// --- the image ---

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
        builder.header.kind = EBT_TRANSFER;
        builder.field(EBT_FIELD_TRANSFER, RecordBuilder::bytes_of(ebt_transfer{7, 0, 8, direction}));
        Decoded d(builder);
        EXPECT_EQ(d.event.transfer_status,
                  direction <= EBT_CONNECTED_ASYNC ? Status::ok : Status::unavailable);
        if (direction <= EBT_CONNECTED_ASYNC) {
            EXPECT_EQ(d.event.transfer.direction, static_cast<ebt_direction>(direction));
        }
    }
}

TEST(Decoder, ReadsTheCallersStack) {
    const ebt_registers all = registers::at(0x401000, 0x7ffe0000);
    RecordBuilder builder;
    builder.header.kind = EBT_TRANSFER;
    builder.field(EBT_FIELD_USER_STACK, RecordBuilder::bytes_of(all) + "stack of the caller");
    Decoded d(builder);
    EXPECT_EQ(d.event.user_stack_status, Status::ok);
    EXPECT_EQ(registers::ip(d.event.user_stack.registers), 0x401000u);
    EXPECT_EQ(registers::sp(d.event.user_stack.registers), 0x7ffe0000u);
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

} // namespace
