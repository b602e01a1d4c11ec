// SPDX-License-Identifier: MIT
// Addresses, strings of calls, ancestors, and bits that are not set.
#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/socket.h>
#include <sys/un.h>

#include "telemetry/process/lineage.hpp"
#include "telemetry/rules/terms/addresses.hpp"
#include "test/unit/rules/errors_support.hpp"

namespace {

using namespace rules_test;

std::string inet(const char* ip, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address.sin_addr);
    return {reinterpret_cast<const char*>(&address), sizeof address};
}

std::string inet6(const char* ip, uint16_t port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    inet_pton(AF_INET6, ip, &address.sin6_addr);
    return {reinterpret_cast<const char*>(&address), sizeof address};
}

std::string unix_name(std::string_view name) {
    const uint16_t family = AF_UNIX;
    std::string bytes(reinterpret_cast<const char*>(&family), sizeof family);
    return bytes.append(name);
}

bool connects(const std::string& rule, const std::string& sockaddr) {
    Event event = event_of("connect");
    event.sockaddr.bytes = sockaddr;
    event.sockaddr.status = Status::ok;
    return wants("connect " + rule, event);
}

TEST(RulesAddresses, Networks) {
    const std::string ten = inet("10.1.2.3", 443);
    for (const char* right :
         {"address = 10.1.2.3", "address = 10.0.0.0/8", "address = 10.1.2.3/32", "address = 0.0.0.0/0",
          "address = 10.1.2.2/31", "address = ::ffff:10.1.2.3", "address = ::/0",
          "address in {127.0.0.1, 10.1.0.0/16}", "address != 10.1.2.4", "port = 443",
          "port >= 443 && port < 444", "port in {80, 443}", "family = AF_INET"})
        EXPECT_TRUE(connects(right, ten)) << right;
    for (const char* wrong :
         {"address = 10.1.2.4", "address = 11.0.0.0/8", "address = 10.1.2.4/31", "address = 10.1.2.0/31",
          "address != 10.0.0.0/8", "address in {127.0.0.0/8, ::1}", "port = 444", "port != 443",
          "address = /run/x", "address = @x"})
        EXPECT_FALSE(connects(wrong, ten)) << wrong;
    const std::string six = inet6("2001:db8::1", 53);
    for (const char* right : {"address = 2001:db8::1", "address = 2001:db8::/32", "address = 2001:db8::/33",
                              "address = 2001:db8:7fff::/33", "port = 53"})
        EXPECT_TRUE(connects(right, six)) << right;
    for (const char* wrong : {"address = 2001:db8::2", "address = 2001:db8:8000::/33", "address = 0.0.0.0/0"})
        EXPECT_FALSE(connects(wrong, six)) << wrong;
    EXPECT_TRUE(connects("address = 10.0.0.0/8", inet6("::ffff:10.1.2.3", 1)));
}

TEST(RulesAddresses, OfUnixSockets) {
    const std::string padded("/run/docker.sock\0\0\0", 19), abstract("\0bus\0x", 6);
    EXPECT_TRUE(connects("address = /run/docker.sock", unix_name(padded)));
    EXPECT_TRUE(connects("address = /run/docker.sock", unix_name("/run/docker.sock")));
    EXPECT_FALSE(connects("address = /run/docker", unix_name(padded)));
    EXPECT_TRUE(connects("address = \"@bus\\x00x\"", unix_name(abstract)));
    EXPECT_FALSE(connects("address = @bus", unix_name(abstract)));
    EXPECT_FALSE(connects("address = @run", unix_name("run")));
    EXPECT_FALSE(connects("address = ::/0", unix_name("")));
    EXPECT_FALSE(connects("port = 0", unix_name(padded)));
}

TEST(RulesAddresses, OfTheFarEndAndOfEachMessage) {
    Event event = event_of("accept4");
    event.socket.family = AF_INET;
    event.socket.remote = {192, 0, 2, 1};
    event.socket.remote_port = 999;
    event.socket_status = Status::ok;
    EXPECT_TRUE(wants("accept4 address = 192.0.2.0/24 && port = 999", event));
    Witnessed witnessed;
    const std::string first = inet("1.1.1.1", 1), second = inet("2.2.2.2", 2);
    witnessed.address[0].bytes = first;
    witnessed.address[1].bytes = second;
    witnessed.addresses = 2;
    witnessed.address_count = 2;
    Event sent = event_of("sendmmsg");
    sent.witnessed = &witnessed;
    EXPECT_TRUE(wants("sendmmsg address = 2.2.2.2 && port = 1", sent)) << "one of them";
    EXPECT_FALSE(wants("sendmmsg address != 2.2.2.2", sent)) << "all must differ";
    EXPECT_FALSE(wants("sendmmsg address = 3.3.3.3", sent));
    witnessed.address_count = 9;
    EXPECT_TRUE(wants("sendmmsg address = 3.3.3.3", sent)) << "not all are kept";
    EXPECT_TRUE(wants("sendmmsg\nnot sendmmsg port = 3", sent));
}

TEST(RulesAddresses, WhatIsNotKnownOrBroken) {
    Event event = event_of("connect");
    event.sockaddr.status = Status::fault;
    EXPECT_TRUE(wants("connect address = 1.1.1.1", event));
    EXPECT_TRUE(wants("connect port != 5", event));
    EXPECT_TRUE(wants("connect\nnot connect address = 1.1.1.1", event));
    EXPECT_FALSE(wants("connect address = 1.1.1.1", event_of("connect")));
    for (size_t length = 0; length < 28; ++length) {
        connects("address = ::/0 && port = 0 && family = 10", inet6("::", 0).substr(0, length));
        connects("address = @x", unix_name("x").substr(0, length));
    }
}

TEST(RulesAddresses, Mistakes) {
    EXPECT_EQ(error("connect address = 10.0.0"), "1:19 \"10.0.0\" is no value of address");
    for (const char* wrong :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "/", "@", "localhost", "1.2.3.4/8/8"})
        EXPECT_FALSE(rules::terms::encode_address(wrong)) << wrong;
    EXPECT_EQ(error("connect address ^ 10.0.0.1"), "1:9 address is only compared by =, != and in");
    EXPECT_EQ(error("unlink port = 5"), "1:8 unlink names no address");
    EXPECT_TRUE(wants("all port = 5 path = /x", [] {
        static const std::string bytes = inet("1.1.1.1", 5);
        Event event = event_of("bind");
        event.sockaddr.bytes = bytes;
        event.sockaddr.status = Status::ok;
        return event;
    }()));
    EXPECT_FALSE(wants("mmap addr = 5", "mmap", {4})) << "addr is the argument";
}

Event with_string(std::string_view name, uint8_t argument, std::string_view text,
                  Status status = Status::ok) {
    Event event = event_of(name);
    event.args[argument] = 0x1000;
    event.string[0].bytes = text;
    event.string[0].status = status;
    event.string[0].argument = argument;
    event.strings = 1;
    return event;
}

TEST(RulesStrings, OfACall) {
    const Event event = with_string("setxattr", 1, "security.capability");
    EXPECT_TRUE(wants("setxattr name = \"security.capability\"", event));
    EXPECT_TRUE(wants("setxattr name ^ security. && name $ ability name ~ zz", event));
    EXPECT_FALSE(wants("setxattr name = security.selinux", event));
    EXPECT_TRUE(wants("@attr name in {security.capability, x}", event));
    EXPECT_TRUE(wants("all name ^ security.", event));
    EXPECT_TRUE(wants("let cap = name = security.capability\nsetxattr $cap\nfsetxattr $cap", event));
    EXPECT_TRUE(wants("setxattr a1 = 0x1000", event)) << "by its number it is the pointer";
    EXPECT_FALSE(wants("all name ^ security.", event_of("sethostname"))) << "a pointer there";
    EXPECT_TRUE(wants("mount filesystemtype = overlay", with_string("mount", 2, "overlay")));
    EXPECT_TRUE(wants("kexec_file_load cmdline ~ quiet", with_string("kexec_file_load", 3, "ro quiet")));
    EXPECT_FALSE(parse("setxattr name = x && flags = 1").kernel_decides(event.row));
}

TEST(RulesStrings, ThatAreNotKnown) {
    EXPECT_TRUE(wants("setxattr name = x", with_string("setxattr", 1, "", Status::fault)));
    EXPECT_TRUE(wants("setxattr\nnot setxattr name = x", with_string("setxattr", 1, "", Status::fault)));
    EXPECT_TRUE(
        wants("setxattr name ^ security.c", with_string("setxattr", 1, "security.", Status::truncated)));
    EXPECT_FALSE(wants("setxattr name ^ user.", with_string("setxattr", 1, "security.", Status::truncated)));
    Event null = with_string("setxattr", 1, "", Status::fault);
    null.args[1] = 0;
    EXPECT_FALSE(wants("setxattr name = x", null));
    EXPECT_TRUE(wants("setxattr name != x", null));
    EXPECT_FALSE(wants("setxattr name = x", event_of("setxattr")));
}

TEST(RulesStrings, NumbersKeepTheirNames) {
    EXPECT_TRUE(wants("shmget key = 5", "shmget", {5}));
    EXPECT_TRUE(wants("socket type = 1", "socket", {0, 1}));
    EXPECT_EQ(error("sethostname name = \"x\""), "1:20 a number is missing");
    EXPECT_EQ(error("@exec name = \"x\""),
              "1:7 this clause fits no system call; for example: execve has no argument name");
}

TEST(RulesBits, ThatAreNotSet) {
    EXPECT_TRUE(wants("openat flags !| (O_WRONLY|O_RDWR)", "openat", {0, 0, O_CREAT}));
    EXPECT_FALSE(wants("openat flags !| (O_WRONLY|O_RDWR)", "openat", {0, 0, O_RDWR}));
    EXPECT_TRUE(wants("chmod mode !| 0111 && mode & 0400", "chmod", {0, 0644}));
    EXPECT_TRUE(wants("openat\nnot openat flags !| O_CREAT", "openat", {0, 0, O_CREAT}));
    EXPECT_FALSE(wants("openat\nnot openat flags !| O_CREAT", "openat", {0, 0, 0}));
    EXPECT_FALSE(parse("openat flags !| 3").kernel_decides(ebpf_loader::row_of(call("openat"))));
    EXPECT_EQ(parse("openat flags !| 0").warnings().size(), 1u);
    EXPECT_EQ(error("read comm !| x"), "1:11 operator !| does not compare text");
}

TEST(RulesAncestors, Executables) {
    LineageNode node;
    LineageNode* last = &node;
    for (const char* exe : {"/usr/bin/sudo", "/bin/bash", "/usr/sbin/sshd"}) {
        last->parent = std::make_shared<LineageNode>();
        last = last->parent.get();
        last->key.pid = 77;
        last->program = std::make_shared<ExecutedProgram>(ExecutedProgram{exe, {}, 0, false});
    }
    const Event event = with([&](Event& e) { e.lineage = &node; });
    EXPECT_TRUE(wants("read ancestor.exe = /usr/sbin/sshd && ancestor.exe $ /bash", event));
    EXPECT_FALSE(wants("read ancestor.exe != /bin/bash", event));
    EXPECT_TRUE(wants("read ancestor.exe = /x", event)) << "who started sshd is not known";
    last->key.pid = 1;
    EXPECT_FALSE(wants("read ancestor.exe = /x", event));
    EXPECT_TRUE(wants("read ancestor.exe != /x", event));
    node.parent->program.reset();
    EXPECT_TRUE(wants("read ancestor.exe = /x", event)) << "one is not known";
    EXPECT_TRUE(parse("read ancestor.exe = /x").needs_lineage());
}

TEST(RulesAncestors, ALongLineIsNotFollowedToItsEnd) {
    LineageNode node;
    LineageNode* last = &node;
    for (int i = 0; i < 1000; ++i) {
        last->parent = std::make_shared<LineageNode>();
        last = last->parent.get();
        last->key.pid = 1;
        last->program = std::make_shared<ExecutedProgram>(ExecutedProgram{i == 63   ? "/x63"
                                                                          : i == 64 ? "/x64"
                                                                                    : "/",
                                                                          {},
                                                                          0,
                                                                          false});
    }
    const Event event = with([&](Event& e) { e.lineage = &node; });
    EXPECT_TRUE(wants("read\nnot read ancestor.exe = /x64", event));
    EXPECT_FALSE(wants("read\nnot read ancestor.exe = /x63", event));
}

} // namespace
