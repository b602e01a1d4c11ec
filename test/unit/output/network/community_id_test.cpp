// SPDX-License-Identifier: MIT
#include <arpa/inet.h>

#include "telemetry/output/network/community_id.hpp"
#include "telemetry/output/network/sha1.hpp"
#include "test/unit/output/json_support.hpp"

using namespace json_test;

namespace {

Address address(const char* ip, uint16_t port) {
    Address made;
    made.form =
        std::string_view(ip).find(':') == std::string_view::npos ? Address::Form::inet : Address::Form::inet6;
    made.port = port;
    EXPECT_EQ(inet_pton(made.form == Address::Form::inet ? AF_INET : AF_INET6, ip, made.ip.data()), 1);
    return made;
}

std::string id(const Address& one, const Address& other, uint8_t protocol) {
    if (!CommunityId::is_known(one, other, protocol))
        return "";
    CommunityId ids;
    LineBuffer line;
    ids.put(line, one, other, protocol);
    return std::string(line.view());
}

std::string hex(std::string_view message) {
    const auto digest = telemetry::sha1({reinterpret_cast<const uint8_t*>(message.data()), message.size()});
    LineBuffer line;
    line.put_hex_bytes({reinterpret_cast<const char*>(digest.data()), digest.size()});
    return std::string(line.view());
}

TEST(Sha1, KnownDigests) {
    EXPECT_EQ(hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex(std::string(55, 'a')), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
}

/// Of the specification and of Zeek's tests.
TEST(CommunityId, PublicVectors) {
    EXPECT_EQ(id(address("128.232.110.120", 34855), address("66.35.250.204", 80), IPPROTO_TCP),
              "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    EXPECT_EQ(id(address("192.168.1.52", 54585), address("8.8.8.8", 53), IPPROTO_UDP),
              "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    EXPECT_EQ(id(address("192.168.170.8", 7), address("192.168.170.56", 7), IPPROTO_SCTP),
              "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=");
    EXPECT_EQ(id(address("1.2.3.4", 1122), address("5.6.7.8", 3344), IPPROTO_TCP),
              "1:wCb3OG7yAFWelaUydu0D+125CLM=");
    EXPECT_EQ(id(address("1.2.3.4", 1122), address("5.6.7.8", 3344), IPPROTO_UDP),
              "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=");
    EXPECT_EQ(id(address("2607:f8b0:400c:c03::1a", 25),
                 address("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943), IPPROTO_TCP),
              "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
}

TEST(CommunityId, BothEndsHaveTheSame) {
    const Address one = address("10.0.0.1", 5), other = address("10.0.0.1", 6), third = address("9.9.9.9", 7);
    EXPECT_EQ(id(one, other, IPPROTO_TCP), id(other, one, IPPROTO_TCP));
    EXPECT_EQ(id(one, third, IPPROTO_TCP), id(third, one, IPPROTO_TCP));
    EXPECT_EQ(id(address("::ffff:1.2.3.4", 1122), address("::ffff:5.6.7.8", 3344), IPPROTO_TCP),
              "1:wCb3OG7yAFWelaUydu0D+125CLM=");
}

TEST(CommunityId, OfWhatIsNotWhollyKnownThereIsNone) {
    const Address one = address("10.0.0.1", 5), other = address("10.0.0.2", 6);
    EXPECT_NE(id(one, other, IPPROTO_TCP), "");
    EXPECT_EQ(id(one, other, IPPROTO_ICMP), "");
    EXPECT_EQ(id(address("0.0.0.0", 5), other, IPPROTO_UDP), "");
    EXPECT_EQ(id(address("::", 5), address("::1", 5), IPPROTO_UDP), "");
    EXPECT_EQ(id(address("10.0.0.1", 0), other, IPPROTO_UDP), "");
    EXPECT_EQ(id(one, {}, IPPROTO_TCP), "");
    EXPECT_EQ(id(one, address("::1", 5), IPPROTO_TCP), "");
}

using NetworkTest = JsonFormatterTest;

TEST_F(NetworkTest, ConnectAcceptAndSendHaveIt) {
    for (const auto* row : {&samples::connect, &samples::accept, &samples::sendto, &samples::recvfrom})
        EXPECT_EQ(object(samples::on_connection(*row))["network"]["community_id"],
                  "1:wCb3OG7yAFWelaUydu0D+125CLM=")
            << row->name;
    Event unbound = samples::on_connection(samples::sendto);
    unbound.socket.local_port = 0;
    EXPECT_FALSE(object(unbound)["network"].contains("community_id"));
}

} // namespace
