// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <cerrno>

#include "telemetry/output/formats.hpp"
#include "telemetry/output/network/address.hpp"
#include "test/unit/output/output_samples.hpp"
#include "test/unit/support/text_line.hpp"

using namespace telemetry;
using nlohmann::json;
using samples::inet;
using samples::inet6;
using samples::known;
using samples::sockaddr_of;
using text_line::field;

namespace {

using Ip6 = std::array<uint8_t, 16>;
const std::string peer_ip = {10, 0, 0, 1};
const std::string local_ip = {10, 0, 0, 2};

Ip6 ip6(const std::string& text) {
    Ip6 bytes{};
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), bytes.data()), 1) << text;
    return bytes;
}

std::string shown(std::string_view sockaddr) {
    LineBuffer line;
    put_address(line, parse_sockaddr(sockaddr));
    return std::string(line.view());
}

/// A TCP socket between 10.0.0.2:5555 and 10.0.0.1:443.
SocketInfo tcp_socket() {
    SocketInfo socket;
    socket.family = AF_INET;
    socket.type = SOCK_STREAM;
    socket.protocol = IPPROTO_TCP;
    socket.local_port = 5555;
    socket.remote_port = 443;
    std::ranges::copy(local_ip, socket.local.begin());
    std::ranges::copy(peer_ip, socket.remote.begin());
    return socket;
}

class Addresses : public testing::Test {
  protected:
    text_line::Fields text(const Event& event) { return text_line::parse(samples::formatted(*text_, event)); }
    json object(const Event& event) { return json::parse(samples::formatted(*json_, event)); }
    static std::string value(const text_line::Fields& fields, const char* name) {
        const text_line::Value found = field(fields, name);
        EXPECT_EQ(found.kind, text_line::Value::Kind::string) << name;
        return found.text;
    }

    std::unique_ptr<Formatter> text_ = format_named("text").make(samples::context());
    std::unique_ptr<Formatter> json_ = format_named("json").make(samples::context());
};

} // namespace

TEST_F(Addresses, EachFamilyInText) {
    EXPECT_EQ(shown(inet(peer_ip, 443)), "10.0.0.1:443");
    EXPECT_EQ(shown(inet6(ip6("::1"), 80)), "[::1]:80");
    EXPECT_EQ(shown(inet6(ip6("fe80::1"), 80, 2)), "[fe80::1%2]:80");
    EXPECT_EQ(shown(sockaddr_of(AF_UNIX, std::string("/run/x.sock\0garbage", 19))), "unix:/run/x.sock");
    EXPECT_EQ(shown(sockaddr_of(AF_UNIX, "@name")), "unix:@name"); // a path, and not an abstract name
    EXPECT_EQ(shown(sockaddr_of(AF_UNIX, std::string("\0a\0b", 4))), "unix-abstract:a\\x00b");
    EXPECT_EQ(shown(sockaddr_of(AF_UNIX, "")), "unix-unnamed");
    EXPECT_EQ(shown(sockaddr_of(AF_NETLINK, std::string("\0\0\x07\0\0\0\x11\0\0\0", 10))),
              "netlink:port=7,groups=11");
    EXPECT_EQ(shown(sockaddr_of(AF_PACKET, "\x01\xff")), "family-17:01ff");
    EXPECT_EQ(shown(sockaddr_of(AF_UNSPEC, std::string(14, '\0'))), "family-0:0000000000000000000000000000");
    EXPECT_EQ(shown("\x02"), "raw:02");
    EXPECT_EQ(shown(""), "");
}

TEST_F(Addresses, TooShortForItsFamilyIsShownAsItIs) {
    EXPECT_EQ(shown(inet(peer_ip, 443).substr(0, 7)), "family-2:01bb0a0000");
    EXPECT_EQ(shown(inet(peer_ip, 443).substr(0, 8)), "10.0.0.1:443");
    EXPECT_EQ(shown(inet6(ip6("::1"), 80, 2).substr(0, 23)), "family-10:005000000000" + std::string(30, '0'));
    EXPECT_EQ(shown(inet6(ip6("::1"), 80, 2).substr(0, 24)), "[::1]:80");
}

TEST_F(Addresses, Ipv6IsWrittenAsTheStandardHasIt) {
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        Ip6 bytes{};
        for (uint8_t& byte : bytes)
            byte = random() % 3 ? 0 : static_cast<uint8_t>(random());
        Address address;
        address.form = Address::Form::inet6;
        address.ip = bytes;
        LineBuffer line;
        put_ip(line, address);
        const std::string text(line.view());
        Ip6 back{};
        ASSERT_EQ(inet_pton(AF_INET6, text.c_str(), back.data()), 1) << text;
        ASSERT_EQ(back, bytes) << text;
        char expected[INET6_ADDRSTRLEN];
        inet_ntop(AF_INET6, bytes.data(), expected, sizeof expected);
        const bool obsolete = std::string_view(expected).find('.') != std::string_view::npos; // ::10.0.0.1
        ASSERT_TRUE(obsolete || text == expected) << text << " " << expected;
    }
    EXPECT_EQ(shown(inet6(ip6("::ffff:10.0.0.1"), 1)), "[::ffff:10.0.0.1]:1");
}

TEST_F(Addresses, AnyBytesOfAnyLengthAreTaken) {
    std::mt19937 random(20251121);
    for (uint16_t family = 0; family < 64; ++family) {
        for (size_t length = 0; length <= 128; ++length) {
            std::string bytes(reinterpret_cast<const char*>(&family), sizeof family);
            while (bytes.size() < 128)
                bytes.push_back(static_cast<char>(random()));
            // Exactly as long as it says, so that a sanitizer sees a step too far.
            const std::vector<char> exact(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
            Event event = samples::call(samples::connect, -ECONNREFUSED);
            event.sockaddr = known({exact.data(), exact.size()}, Source::user_memory);
            const auto fields = text(event);
            ASSERT_EQ(text_line::has(fields, "addr"), true);
            ASSERT_NO_THROW(object(event));
        }
    }
}

TEST_F(Addresses, TheKernelKnowsThePeerOfAConnection) {
    const std::string claimed = inet(local_ip, 1); // changed in memory after the call
    Event event = samples::call(samples::connect, 0);
    event.sockaddr = known(claimed, Source::user_memory);
    event.socket = tcp_socket();
    event.socket_status = Status::ok;
    for (const int64_t ret : {0, -EINPROGRESS}) {
        event.ret = ret;
        const auto fields = text(event);
        EXPECT_EQ(value(fields, "addr"), "10.0.0.1:443");
        EXPECT_EQ(value(fields, "local"), "10.0.0.2:5555");
        EXPECT_FALSE(text_line::has(fields, "remote"));
        EXPECT_FALSE(text_line::has(fields, "user_memory"));
    }
    const json made = object(event);
    EXPECT_EQ(made["source"], json::parse(R"({"address":"10.0.0.2","ip":"10.0.0.2","port":5555})"));
    EXPECT_EQ(made["destination"], json::parse(R"({"address":"10.0.0.1","ip":"10.0.0.1","port":443})"));
    EXPECT_EQ(made["network"], json::parse(R"({"type":"ipv4","transport":"tcp","iana_number":"6",)"
                                           R"("community_id":"1:PYkJGwq5Ru8Cq9LAEZbQBA6SFM0=",)"
                                           R"("direction":"egress"})"));
    EXPECT_EQ(made["linux"]["socket"], json::parse(R"({"family":"inet","type":"stream"})"));
    EXPECT_EQ(made["event"]["outcome"], "unknown"); // under way
}

TEST_F(Addresses, AFailedCallIsAboutWhatWasAskedFor) {
    const std::string asked = inet(peer_ip, 22);
    Event event = samples::call(samples::connect, -ECONNREFUSED);
    event.sockaddr = known(asked, Source::user_memory);
    event.socket = tcp_socket();
    event.socket_status = Status::ok;
    const auto fields = text(event);
    EXPECT_EQ(value(fields, "addr"), "10.0.0.1:22");
    EXPECT_EQ(value(fields, "local"), "10.0.0.2:5555");
    EXPECT_EQ(value(fields, "remote"), "10.0.0.1:443");
    EXPECT_EQ(field(fields, "user_memory"), text_line::word("addr"));
    EXPECT_EQ(object(event)["linux"]["telemetry"]["user_memory"], json({"destination.address"}));
}

TEST_F(Addresses, AnEndWithoutAPortIsNone) {
    const std::string asked = inet(peer_ip, 22);
    Event event = samples::call(samples::connect, -ECONNREFUSED);
    event.sockaddr = known(asked, Source::user_memory);
    event.socket = tcp_socket();
    event.socket.remote_port = 0; // the address is a leftover
    event.socket_status = Status::ok;
    EXPECT_FALSE(text_line::has(text(event), "remote"));
    event.socket.type = SOCK_RAW; // has no ports
    EXPECT_EQ(value(text(event), "remote"), "10.0.0.1");
}

/// The kernel keeps the protocol where others have the port, and takes no port from an address.
TEST_F(Addresses, ARawSocketHasNoPorts) {
    const std::string destination = inet(peer_ip, 22);
    Event event = samples::call(samples::sendto, 10);
    event.sockaddr = known(destination, Source::user_memory);
    event.socket = tcp_socket();
    event.socket.type = SOCK_RAW;
    event.socket.protocol = IPPROTO_ICMP;
    event.socket.local_port = IPPROTO_ICMP;
    event.socket_status = Status::ok;
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.1");
    EXPECT_EQ(value(text(event), "local"), "10.0.0.2");
    const json made = object(event);
    EXPECT_EQ(made["destination"]["address"], "10.0.0.1");
    EXPECT_FALSE(made["destination"].contains("port"));
    event.socket.local = {};
    EXPECT_FALSE(text_line::has(text(event), "local")) << "the protocol is no end";
}

TEST_F(Addresses, ADatagramHasAnAddressOfItsOwn) {
    const std::string destination = inet(local_ip, 53);
    Event event = samples::call(samples::sendto, 10);
    event.sockaddr = known(destination, Source::user_memory);
    event.socket = tcp_socket();
    event.socket.type = SOCK_DGRAM;
    event.socket.protocol = IPPROTO_UDP;
    event.socket_status = Status::ok;
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.2:53");
    event.socket.type = SOCK_STREAM; // a stream ignores it
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.1:443");
    event.socket.type = SOCK_DGRAM;
    event.sockaddr = Text(); // connected, and used so
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.1:443");
}

TEST_F(Addresses, WhatComesInHasThePeerAsItsSource) {
    Event event = samples::call(samples::accept, 5);
    event.socket = tcp_socket();
    event.socket_status = Status::ok;
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.1:443");
    const json made = object(event);
    EXPECT_EQ(made["source"]["ip"], "10.0.0.1");
    EXPECT_EQ(made["destination"]["ip"], "10.0.0.2");
    EXPECT_EQ(made["network"]["direction"], "ingress");
}

TEST_F(Addresses, BindNamesThisEnd) {
    const std::string asked = inet(local_ip, 0);
    Event event = samples::call(samples::bind, 0);
    event.sockaddr = known(asked, Source::user_memory);
    event.socket = tcp_socket();
    event.socket.remote = {};
    event.socket.remote_port = 0;
    event.socket_status = Status::ok;
    const auto fields = text(event);
    EXPECT_EQ(value(fields, "addr"), "10.0.0.2:5555"); // the port that the kernel chose
    EXPECT_FALSE(text_line::has(fields, "local"));
    EXPECT_FALSE(text_line::has(fields, "remote"));
    const json made = object(event);
    EXPECT_EQ(made["source"]["port"], 5555);
    EXPECT_FALSE(made.contains("destination"));
    EXPECT_FALSE(made["network"].contains("direction"));
}

TEST_F(Addresses, TheScopeOfALinkLocalPeerComesFromTheCaller) {
    const std::string asked = inet6(ip6("fe80::1"), 443, 2);
    Event event = samples::call(samples::connect, 0);
    event.sockaddr = known(asked, Source::user_memory);
    event.socket = tcp_socket();
    event.socket.family = AF_INET6;
    event.socket.remote = ip6("fe80::1");
    event.socket_status = Status::ok;
    EXPECT_EQ(value(text(event), "addr"), "[fe80::1%2]:443");
    const json made = object(event);
    EXPECT_EQ(made["destination"]["address"], "fe80::1%2");
    EXPECT_EQ(made["destination"]["ip"], "fe80::1");
    EXPECT_EQ(made["network"]["type"], "ipv6");
}

TEST_F(Addresses, UnixSocketsInJson) {
    const std::string path = sockaddr_of(AF_UNIX, "/run/\xff.sock");
    Event event = samples::call(samples::connect, -ENOENT);
    event.sockaddr = known(path, Source::user_memory);
    json made = object(event);
    EXPECT_EQ(made["destination"], json({{"address", "/run/\ufffd.sock"}}));
    EXPECT_EQ(made["linux"]["socket"], json({{"family", "unix"}, {"name", "path"}}));
    EXPECT_EQ(made["linux"]["telemetry"]["raw"],
              json::parse(R"([{"field":"destination.address","base64":"L3J1bi//LnNvY2s="}])"));
    EXPECT_FALSE(made.contains("network"));

    const std::string abstract = sockaddr_of(AF_UNIX, std::string("\0name", 5));
    event.sockaddr = known(abstract, Source::user_memory);
    made = object(event);
    EXPECT_EQ(made["destination"]["address"], "@name");
    EXPECT_EQ(made["linux"]["socket"]["name"], "abstract");

    const std::string netlink = sockaddr_of(AF_NETLINK, std::string(10, '\0'));
    event.sockaddr = known(netlink, Source::user_memory);
    made = object(event);
    EXPECT_FALSE(made.contains("destination"));
    EXPECT_EQ(made["linux"]["socket"]["address"], "netlink:port=0,groups=0");
    EXPECT_EQ(made["linux"]["telemetry"]["user_memory"], json({"linux.socket.address"}));
}

TEST_F(Addresses, TheKernelKnowsTheNameOfAUnixSocket) {
    const std::string name = sockaddr_of(AF_UNIX, std::string("\0a\nb", 4));
    Event event = samples::call(*ebpf_loader::find_syscall("listen"), 0, {3, 5});
    event.socket.family = AF_UNIX;
    event.socket.type = SOCK_STREAM;
    event.socket_status = Status::ok;
    EXPECT_FALSE(text_line::has(text(event), "addr")) << "it has none, or it is not known";
    event.unix_name = name;
    EXPECT_EQ(value(text(event), "addr"), "unix-abstract:a\nb");
    EXPECT_FALSE(text_line::has(text(event), "local"));
    json made = object(event);
    EXPECT_EQ(made["source"]["address"], "@a\nb");
    EXPECT_EQ(made["linux"]["socket"], json({{"family", "unix"}, {"type", "stream"}, {"name", "abstract"}}));

    const std::string path = sockaddr_of(AF_UNIX, std::string("/run/x\0", 7)),
                      unnamed = sockaddr_of(AF_UNIX, "");
    event.unix_name = path;
    event.call = ebpf_loader::find_syscall("accept4");
    event.ret = 4;
    EXPECT_EQ(value(text(event), "local"), "unix:/run/x");
    EXPECT_FALSE(text_line::has(text(event), "addr"));
    event.sockaddr = known(unnamed, Source::user_memory);
    EXPECT_EQ(value(text(event), "addr"), "unix-unnamed");
    EXPECT_EQ(value(text(event), "local"), "unix:/run/x");
    made = object(event);
    EXPECT_EQ(made["destination"], json({{"address", "/run/x"}}));
    // What bind was given may have been changed since.
    event.call = ebpf_loader::find_syscall("bind");
    event.ret = 0;
    EXPECT_EQ(value(text(event), "addr"), "unix:/run/x");
    EXPECT_FALSE(text_line::has(text(event), "user_memory"));
}

TEST_F(Addresses, AnAddressThatCouldNotBeRead) {
    Event event = samples::call(samples::connect, -EFAULT);
    event.sockaddr.status = Status::fault;
    event.sockaddr.source = Source::user_memory;
    const auto fields = text(event);
    EXPECT_EQ(field(fields, "addr"), text_line::word("?"));
    EXPECT_EQ(field(fields, "fault"), text_line::word("addr"));
    EXPECT_EQ(object(event)["linux"]["telemetry"]["fault"], json({"destination.address"}));
}

TEST_F(Addresses, Socketcall) {
    const auto* row = ebpf_loader::find_syscall("socketcall");
    ASSERT_NE(row, nullptr);
    Event event = samples::call(*row, 0, {2}); // SYS_BIND
    event.socket = tcp_socket();
    event.socket_status = Status::ok;
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.2:5555");
    event.args[0] = 3; // SYS_CONNECT
    EXPECT_EQ(value(text(event), "addr"), "10.0.0.1:443");
}
