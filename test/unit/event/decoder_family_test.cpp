// SPDX-License-Identifier: MIT
// Addresses without a family: what the kernel takes them for.
#include "test/unit/event/decoder_support.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace decoder_test;

namespace {

std::string address_of(uint16_t family, size_t size) {
    std::string bytes(size, '\1');
    memcpy(bytes.data(), &family, sizeof(family));
    return bytes;
}

/// What the event of a call on such a socket has as its address.
std::string given(const char* call, uint16_t family, uint8_t type, const std::string& address,
                  int64_t ret = 1) {
    ebt_socket socket{};
    socket.family = family;
    socket.type = type;
    RecordBuilder builder(call);
    builder.header.ret = ret;
    builder.field(EBT_FIELD_SOCKADDR, address, {.arg = 4, .flags = EBT_USER_MEMORY});
    builder.field(EBT_FIELD_SOCKET, RecordBuilder::bytes_of(socket), arg(0));
    const Decoded decoded(builder);
    return std::string(decoded.event.sockaddr.bytes);
}

TEST(DecoderFamily, OfADatagramIsTheSocketsOwn) {
    const std::string none = address_of(AF_UNSPEC, 16), inet = address_of(AF_INET, 16);
    EXPECT_EQ(given("sendto", AF_INET, SOCK_DGRAM, none), inet);
    EXPECT_EQ(given("sendto", AF_INET, SOCK_RAW, none), inet);
    EXPECT_EQ(given("sendmsg", AF_INET, SOCK_DGRAM, none, -EPERM), inet);
    EXPECT_EQ(given("sendto", AF_INET6, SOCK_RAW, address_of(AF_UNSPEC, 28)), address_of(AF_INET6, 28));
    EXPECT_EQ(given("sendto", AF_INET6, SOCK_DGRAM, address_of(AF_UNSPEC, 28)), "") << "it goes to the peer";
    EXPECT_EQ(given("sendto", AF_INET6, SOCK_DGRAM, inet), inet);
}

TEST(DecoderFamily, IsLeftWhereTheKernelTakesNone) {
    const std::string none = address_of(AF_UNSPEC, 16);
    EXPECT_EQ(given("sendto", AF_INET, SOCK_STREAM, none), none);
    EXPECT_EQ(given("sendto", AF_UNIX, SOCK_DGRAM, none), none);
    EXPECT_EQ(given("sendto", AF_INET, SOCK_DGRAM, none, -EAFNOSUPPORT), none);
    EXPECT_EQ(given("connect", AF_INET, SOCK_DGRAM, none), none) << "ends a connection";
    for (const size_t size : {0, 1, 2, 15})
        EXPECT_EQ(given("sendto", AF_INET, SOCK_DGRAM, std::string(size, '\0')), std::string(size, '\0'));
}

} // namespace
