// SPDX-License-Identifier: MIT
// Unix sockets: their names, and control messages: descriptors that are passed on, and what a caller may
// write in their place.
#include "test/unit/event/decoder_support.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

using namespace decoder_test;

namespace {

using Numbers = std::vector<int32_t>;

/// struct cmsghdr of one width, with any length, and its content; padded as CMSG_SPACE does.
template <typename Word>
std::string cmsg(uint64_t length, int32_t level, int32_t type, const Numbers& content) {
    std::string bytes = RecordBuilder::bytes_of(static_cast<Word>(length));
    bytes += RecordBuilder::bytes_of(level) + RecordBuilder::bytes_of(type);
    for (const int32_t number : content)
        bytes += RecordBuilder::bytes_of(number);
    return bytes + std::string((sizeof(Word) - bytes.size() % sizeof(Word)) % sizeof(Word), '\0');
}

template <typename Word> std::string cmsg(int32_t level, int32_t type, const Numbers& content) {
    return cmsg<Word>(sizeof(Word) + 8 + 4 * content.size(), level, type, content);
}

std::string rights(const Numbers& content) {
    return cmsg<uint64_t>(SOL_SOCKET, SCM_RIGHTS, content);
}

RecordBuilder::Detail control_of(uint8_t status = EBT_OK, uint32_t original = 0) {
    return {.arg = 1, .status = status, .flags = EBT_USER_MEMORY, .original = original};
}

RecordBuilder with_socket(RecordBuilder builder, uint16_t family) {
    ebt_socket socket{};
    socket.family = family;
    return builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(socket), arg(0));
}

RecordBuilder sent(const std::string& control, RecordBuilder::Detail detail = control_of()) {
    RecordBuilder builder("sendmsg");
    builder.header.ret = 1;
    return with_socket(builder.field(EBT_FIELD_CONTROL, control, detail), AF_UNIX);
}

Numbers passed(const Event& event) {
    if (!event.passed)
        return {};
    return {event.passed->fd.begin(), event.passed->fd.begin() + event.passed->kept};
}

TEST(DecoderUnix, HasTheNameOfASocket) {
    using namespace std::string_literals;
    RecordBuilder builder = with_socket(RecordBuilder("listen"), AF_UNIX);
    EXPECT_TRUE(Decoded(builder).event.unix_name.empty());
    builder.field(EBT_FIELD_UNIX_NAME, "\1\0/run/x\0"s, arg(0));
    const Decoded named(builder);
    EXPECT_EQ(named.event.unix_name, "\1\0/run/x\0"s);
    EXPECT_FALSE(named.event.lost_fields);
    const Decoded twice(builder.field(EBT_FIELD_UNIX_NAME, "\1\0/run/y"s, arg(0)));
    EXPECT_EQ(twice.event.unix_name, "\1\0/run/x\0"s);
    EXPECT_TRUE(twice.event.lost_fields);
    RecordBuilder unreadable = with_socket(RecordBuilder("listen"), AF_UNIX);
    unreadable.field(EBT_FIELD_UNIX_NAME, "", failed(0, EBT_UNAVAILABLE));
    const Decoded none(unreadable);
    EXPECT_TRUE(none.event.unix_name.empty());
    EXPECT_FALSE(none.event.lost_fields);
}

TEST(DecoderControl, HasTheDescriptorsOfEachAbi) {
    for (const ebt_abi abi : {EBT_X86_64, EBT_I386, EBT_X32}) {
        const auto make = [&](int type, const Numbers& content) {
            return abi == EBT_X86_64 ? cmsg<uint64_t>(SOL_SOCKET, type, content)
                                     : cmsg<uint32_t>(SOL_SOCKET, type, content);
        };
        RecordBuilder builder =
            sent(make(SCM_CREDENTIALS, {1, 2, 3}) + make(SCM_RIGHTS, {7, 8, -9}) + make(SCM_RIGHTS, {10}));
        builder.header.abi = static_cast<uint8_t>(abi);
        const Decoded d(builder);
        EXPECT_EQ(passed(d.event), (Numbers{7, 8, -9, 10})) << abi;
        ASSERT_NE(d.event.passed, nullptr);
        EXPECT_EQ(d.event.passed->count, 4u);
        EXPECT_EQ(d.event.passed->control.status, Status::ok);
        EXPECT_EQ(d.event.passed->control.source, Source::user_memory);
        EXPECT_FALSE(d.event.lost_fields);
    }
}

TEST(DecoderControl, IsOfUnixSocketsAlone) {
    RecordBuilder udp("sendmsg");
    udp.field(EBT_FIELD_CONTROL, rights({5}), control_of());
    EXPECT_EQ(Decoded(with_socket(udp, AF_INET)).event.passed, nullptr) << "the kernel ignores them there";
    EXPECT_EQ(passed(Decoded(udp).event), Numbers{5}) << "which socket it is, is not known";
    EXPECT_EQ(Decoded(sent(cmsg<uint64_t>(SOL_SOCKET, SCM_CREDENTIALS, {1, 2, 3}))).event.passed, nullptr);
    EXPECT_EQ(Decoded(sent(cmsg<uint64_t>(IPPROTO_IP, SCM_RIGHTS, {5}))).event.passed, nullptr);
}

TEST(DecoderControl, OfSeveralMessagesHasAll) {
    RecordBuilder builder("sendmmsg");
    builder.header.ret = 4;
    for (const int32_t fd : {5, 6})
        builder.field(EBT_FIELD_CONTROL, rights({fd}), control_of());
    builder.field(EBT_FIELD_CONTROL, "", control_of(EBT_FAULT));
    builder.field(EBT_FIELD_CONTROL, rights({7}), control_of());
    const Decoded d(builder);
    EXPECT_EQ(passed(d.event), (Numbers{5, 6, 7}));
    EXPECT_EQ(d.event.passed->control.status, Status::fault) << "one of them could not be read";
    EXPECT_FALSE(d.event.lost_fields);
    const Decoded one(sent(rights({5})).field(EBT_FIELD_CONTROL, rights({6}), control_of()));
    EXPECT_EQ(passed(one.event), Numbers{5});
    EXPECT_TRUE(one.event.lost_fields) << "sendmsg has one message";
}

TEST(DecoderControl, SaysThatMessagesAreBeyondThoseThatAreKept) {
    const auto of = [](const char* call, int64_t ret, uint16_t family, bool has_first) {
        RecordBuilder builder(call);
        builder.header.ret = ret;
        if (has_first)
            builder.field(EBT_FIELD_CONTROL, rights({5}), control_of());
        return with_socket(builder, family);
    };
    for (const char* call : {"sendmmsg", "recvmmsg"})
        for (const bool has_first : {false, true}) {
            const Decoded nine(of(call, EBT_ADDRESSES + 1, AF_UNIX, has_first));
            ASSERT_NE(nine.event.passed, nullptr) << call;
            EXPECT_EQ(nine.event.passed->control.status, Status::truncated);
            EXPECT_TRUE(nine.event.passed->control.length_is_minimum);
            EXPECT_EQ(nine.event.passed->kept, has_first ? 1 : 0);
            EXPECT_EQ(Decoded(of(call, EBT_ADDRESSES, AF_UNIX, false)).event.passed, nullptr);
            EXPECT_EQ(Decoded(of(call, EBT_ADDRESSES + 1, AF_INET, false)).event.passed, nullptr);
        }
}

TEST(DecoderControl, IsNotOfMessagesThatNeverWent) {
    for (const char* call : {"sendmmsg", "recvmmsg"}) {
        RecordBuilder none(call);
        none.header.ret = 0; // of no messages
        none.field(EBT_FIELD_CONTROL, rights({5}), control_of());
        EXPECT_EQ(Decoded(with_socket(none, AF_UNIX)).event.passed, nullptr) << call;
    }
    const auto empty = [](const char* call, uint8_t type) {
        ebt_socket socket{};
        socket.family = AF_UNIX;
        socket.type = type;
        RecordBuilder builder(call);
        builder.header.ret = 0;
        builder.field(EBT_FIELD_CONTROL, rights({5}), control_of());
        builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(socket), arg(0));
        return Decoded(builder).event.passed != nullptr;
    };
    EXPECT_FALSE(empty("sendmsg", SOCK_STREAM)) << "a stream has no message without a byte";
    EXPECT_TRUE(empty("sendmsg", SOCK_DGRAM));
    EXPECT_TRUE(empty("recvmsg", SOCK_STREAM));
}

/// Another thread may have put another socket in the place of the one that the call used.
TEST(DecoderControl, IsOfTheSocketThatTheCallUsed) {
    const auto of = [](const char* call, uint8_t shared) {
        RecordBuilder builder(call);
        builder.header.ret = 1;
        builder.header.shared = shared;
        builder.field(EBT_FIELD_CONTROL, rights({5}), control_of());
        return passed(Decoded(with_socket(builder, AF_INET)).event);
    };
    EXPECT_EQ(of("recvmsg", 0), Numbers{5}) << "the kernel wrote it";
    EXPECT_EQ(of("sendmsg", EBT_SHARED_FILES), Numbers{5});
    EXPECT_EQ(of("sendmsg", 0), Numbers{});
}

TEST(DecoderControl, SaysWhatIsNotKnown) {
    const std::string other = cmsg<uint64_t>(0, 0, Numbers(508));
    const Decoded cut(sent((other + rights({5})).substr(0, 2048), control_of(EBT_TRUNCATED, 3000)));
    ASSERT_NE(cut.event.passed, nullptr);
    EXPECT_EQ(cut.event.passed->control.status, Status::truncated);
    EXPECT_EQ(cut.event.passed->control.original_length, 3000u);
    const Decoded within(sent(rights({5, 6, 7}).substr(0, 26), control_of(EBT_TRUNCATED, 28)));
    EXPECT_EQ(passed(within.event), (Numbers{5, 6})) << "the third was cut";
    const Decoded fault(sent("", control_of(EBT_FAULT)));
    ASSERT_NE(fault.event.passed, nullptr);
    EXPECT_EQ(fault.event.passed->control.status, Status::fault);
    RecordBuilder threads = sent(rights({5}));
    threads.header.shared = EBT_SHARED_MEMORY;
    EXPECT_TRUE(Decoded(threads).event.passed->control.shared);
}

TEST(DecoderControl, KeepsSoMany) {
    const Decoded most(sent(rights(Numbers(253, 5))));
    EXPECT_EQ(most.event.passed->kept, 253);
    RecordBuilder builder("sendmmsg");
    builder.header.ret = 8;
    for (int i = 0; i < 8; ++i)
        builder.field(EBT_FIELD_CONTROL, rights(Numbers(253, i)), control_of());
    const Decoded d(builder);
    EXPECT_EQ(d.event.passed->kept, 256);
    EXPECT_EQ(d.event.passed->count, 8u * 253);
    EXPECT_EQ(passed(d.event).back(), 1);
}

/// Lengths that lie: the kernel refuses them, and nothing beyond the field is read.
TEST(DecoderControl, HostileLengths) {
    const auto with_length = [](uint64_t length) {
        return cmsg<uint64_t>(length, SOL_SOCKET, SCM_RIGHTS, {5, 6});
    };
    for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{15}, uint64_t{25}, uint64_t{1} << 31,
                                  uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7})
        EXPECT_EQ(passed(Decoded(sent(with_length(length))).event), Numbers{}) << length;
    EXPECT_EQ(passed(Decoded(sent(with_length(16) + rights({7}))).event), Numbers{}) << "then comes 5";
    EXPECT_EQ(passed(Decoded(sent(with_length(19) + rights({7}))).event), Numbers{7}) << "unaligned";
    EXPECT_EQ(passed(Decoded(sent(with_length(23) + rights({7}))).event), (Numbers{5, 7})) << "unaligned";
    EXPECT_EQ(passed(Decoded(sent(rights({7}) + with_length(0))).event), Numbers{7});
    EXPECT_EQ(passed(Decoded(sent(rights({7}) + with_length(~uint64_t{0}))).event), Numbers{7});
    for (const uint64_t length : {uint64_t{0}, uint64_t{11}, uint64_t{21}, uint64_t{0xffffffff}}) {
        RecordBuilder narrow = sent(cmsg<uint32_t>(length, SOL_SOCKET, SCM_RIGHTS, {5, 6}));
        narrow.header.abi = EBT_I386;
        EXPECT_EQ(passed(Decoded(narrow).event), Numbers{}) << length;
    }
    for (size_t size = 0; size < 24; ++size)
        EXPECT_EQ(passed(Decoded(sent(with_length(24).substr(0, size))).event), Numbers{}) << size;
    // Cut, the last one may go on: its length says how far, and is believed as far as there is something.
    const Decoded huge(sent(with_length(~uint64_t{0}), control_of(EBT_TRUNCATED, 5000)));
    EXPECT_EQ(passed(huge.event), (Numbers{5, 6}));
}

} // namespace
