// SPDX-License-Identifier: MIT
// Records that no eBPF program makes, and any bytes at all.
#include "test/unit/event/decoder_support.hpp"

#include <algorithm>
#include <memory>
#include <span>

using namespace decoder_test;
using namespace std::string_literals;

namespace {

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
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.kind = EBT_TRANSFER + 1; }));
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.abi = EBT_ABIS; }));
    EXPECT_TRUE(refused_with(Defect::kind, [](ebt_header& h) { h.abi = 3; }))
        << "between those of two machines";
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
    pipe.field(EBT_FIELD_FILE, RecordBuilder::bytes_of(ebt_inode{1, 0x50495045, 0, 0, 0, 0, 0}) + "\0"s,
               flagged(0, EBT_DETACHED));
    list.push_back(pipe);
    RecordBuilder socket("connect");
    socket.field(EBT_FIELD_SOCKADDR, "\2\0\1\2"s, arg(1));
    socket.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(ebt_socket{}), arg(0));
    socket.field(EBT_FIELD_UNIX_NAME, "\1\0/run/x"s, arg(0));
    list.push_back(socket);
    RecordBuilder passing("sendmmsg");
    for (int message = 0; message < 2; ++message)
        passing.field(EBT_FIELD_CONTROL, "\24\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0"s, arg(1));
    list.push_back(passing);
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
          event.root.bytes, event.exec_argv.bytes, event.sockaddr.bytes, event.unix_name})
        read(text);
    for (size_t i = 0; i < event.paths; i++)
        read(event.path[i].bytes);
    for (size_t i = 0; i < event.strings; i++)
        read(event.string[i].bytes);
    for (size_t i = 0; event.passed && i < event.passed->kept; i++)
        sum += static_cast<size_t>(event.passed->fd.at(i));
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
