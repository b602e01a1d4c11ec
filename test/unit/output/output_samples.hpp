// SPDX-License-Identifier: MIT
#pragma once
#include <array>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "telemetry/event/event.hpp"
#include "telemetry/output/formats.hpp"

/// Events made by hand, for the tests of what comes out.
namespace samples {

using ebpf_loader::ArgKind;
using ebpf_loader::EventClass;
using ebpf_loader::SocketRole;
using ebpf_loader::SyscallRow;
using telemetry::Event;
using telemetry::PathField;
using telemetry::Source;
using telemetry::Status;
using telemetry::Text;

inline telemetry::FormatContext context() {
    telemetry::FormatContext context;
    context.node = "web1";
    context.tier = "raw_tp";
    context.boot_id = "6a3d3e1c-0e0b-4c6c-9d56-8a54c3a7f001";
    context.boot_time_ns = 1'763'700'000'000'000'000;
    context.host = {"0123456789abcdef0123456789abcdef",
                    "x86_64",
                    "6.1.0-50",
                    "Debian GNU/Linux",
                    "12",
                    "Debian GNU/Linux 12",
                    "debian",
                    "debian",
                    {"10.0.0.7", "fe80::1"}};
    context.agent = {"ebpf_telemetry", "1.2.0", "0d6c6f0e-6d0c-5c2e-9d3b-0b6b0c8a9f10",
                     "7f0e1d2c-3b4a-4958-8677-a6b5c4d3e2f1"};
    return context;
}

// Rows of the tests' own, so that they do not change with the table.
inline const SyscallRow openat = {"openat",
                                  {257, 295, 257},
                                  EventClass::file_open,
                                  ebpf_loader::ReturnKind::file,
                                  0,
                                  4,
                                  {{"dirfd", ArgKind::dirfd},
                                   {"pathname", ArgKind::path},
                                   {"flags", ArgKind::flags},
                                   {"mode", ArgKind::mode}}};
inline const SyscallRow rename = {
    "rename",
    {82, 38, 82},
    EventClass::file_rename,
    ebpf_loader::ReturnKind::number,
    0,
    2,
    {{"oldpath", ArgKind::path, EBT_LINK_CWD}, {"newpath", ArgKind::path, EBT_LINK_CWD}}};
inline const SyscallRow execve = {
    "execve",
    {59, 11, 520},
    EventClass::process_exec,
    ebpf_loader::ReturnKind::number,
    EBT_PLAN_EXEC,
    3,
    {{"pathname", ArgKind::path, EBT_LINK_CWD}, {"argv", ArgKind::argv}, {"envp", ArgKind::envp}}};
inline const SyscallRow setxattr = {"setxattr",
                                    {188, 226, 188},
                                    EventClass::file_change,
                                    ebpf_loader::ReturnKind::number,
                                    0,
                                    5,
                                    {{"pathname", ArgKind::path, EBT_LINK_CWD},
                                     {"name", ArgKind::string},
                                     {"value", ArgKind::pointer},
                                     {"size", ArgKind::size},
                                     {"flags", ArgKind::flags}}};
inline const SyscallRow exit_group = {"exit_group",
                                      {231, 252, 231},
                                      EventClass::process_end,
                                      ebpf_loader::ReturnKind::none,
                                      EBT_PLAN_NO_RETURN,
                                      1,
                                      {{"status", ArgKind::integer}}};
inline const SyscallRow getpid = {"getpid", {39, 20, 39}, EventClass::api, ebpf_loader::ReturnKind::pid, 0, 0,
                                  {}};

inline SyscallRow socket_call(std::string_view name, EventClass event_class, SocketRole role,
                              ebt_move move = EBT_MOVE_NONE) {
    return {name,
            {0, 0, 0},
            event_class,
            ebpf_loader::ReturnKind::number,
            0,
            3,
            {{"sockfd", ArgKind::fd_socket}, {"addr", ArgKind::sockaddr, 2}, {"addrlen", ArgKind::integer}},
            {move},
            role};
}
inline const SyscallRow connect =
    socket_call("connect", EventClass::connection_attempt, SocketRole::egress, EBT_MOVE_CONNECT);
inline const SyscallRow accept = socket_call("accept", EventClass::connection_accept, SocketRole::ingress);
inline const SyscallRow bind = socket_call("bind", EventClass::network_info, SocketRole::own);
inline const SyscallRow sendto = socket_call("sendto", EventClass::connection, SocketRole::egress);
inline const SyscallRow recvfrom = socket_call("recvfrom", EventClass::connection, SocketRole::ingress);

/// A value that is known; the bytes must live as long as the event.
template <class Field = Text> Field known(std::string_view bytes, Source source = Source::kernel) {
    Field field;
    field.bytes = bytes;
    field.status = Status::ok;
    field.source = source;
    field.original_length = static_cast<uint32_t>(bytes.size());
    return field;
}

/// What all events have: a process of user 1000 in /home/ann, running cat on pts0.
inline Event event(ebt_record_kind kind = EBT_SYSCALL) {
    Event event;
    event.kind = kind;
    event.abi = EBT_X86_64;
    event.time_ns = 1'763'759'765'000'000'042; // 2025-11-21T21:16:05
    event.sequence = 7;
    event.cpu = 3;
    event.pid = event.tid = 4242;
    event.ppid = 4200;
    event.start_time_ns = 59'000'000'123;
    event.auid = event.uid = event.euid = event.suid = event.fsuid = 1000;
    event.gid = event.egid = event.sgid = event.fsgid = 1001;
    event.ses = 3;
    event.comm = "cat";
    event.image.exe = known<PathField>("/usr/bin/cat");
    event.image.exe.has_inode = true;
    event.image.exe.inode = {1234, 0xef53, 0100755, 0, 0, 0x10300002};
    event.image.tty = known("pts0");
    event.cwd = known("/home/ann");
    return event;
}

inline Event call(const SyscallRow& row, int64_t ret, std::initializer_list<uint64_t> args = {}) {
    Event made = event();
    made.call = &row;
    made.nr = row.number[EBT_X86_64];
    made.ret = ret;
    std::ranges::copy(args, made.args.begin());
    return made;
}

inline void add_path(Event& event, uint8_t argument, std::string_view bytes, Source source = Source::kernel) {
    PathField& path = event.path[event.paths++];
    path = known<PathField>(bytes, source);
    path.argument = argument;
}

inline std::string inet(std::string_view ip, uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    std::memcpy(&address.sin_addr, ip.data(), 4);
    return {reinterpret_cast<const char*>(&address), sizeof address};
}

inline std::string inet6(const std::array<uint8_t, 16>& ip, uint16_t port, uint32_t scope = 0) {
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    std::memcpy(&address.sin6_addr, ip.data(), ip.size());
    address.sin6_scope_id = scope;
    return {reinterpret_cast<const char*>(&address), sizeof address};
}

/// From 1.2.3.4, port 1122, to 5.6.7.8, port 3344, by TCP.
inline Event on_connection(const ebpf_loader::SyscallRow& row, int64_t ret = 0) {
    static const std::string peer = inet("\x05\x06\x07\x08", 3344);
    Event event = call(row, ret);
    event.sockaddr = known(peer);
    event.socket_status = Status::ok;
    event.socket = {.family = AF_INET,
                    .type = SOCK_STREAM,
                    .protocol = IPPROTO_TCP,
                    .local_port = 1122,
                    .remote_port = 3344,
                    .local = {1, 2, 3, 4},
                    .remote = {5, 6, 7, 8}};
    return event;
}

/// A sockaddr of any family, with these bytes behind it.
inline std::string sockaddr_of(uint16_t family, std::string_view bytes) {
    std::string address(reinterpret_cast<const char*>(&family), sizeof family);
    return address.append(bytes);
}

/// Bytes that a process may use to upset who reads them.
inline std::vector<std::string> hostile_strings() {
    std::string controls;
    while (controls.size() < 4096)
        controls.push_back(static_cast<char>(controls.size() % 32));
    std::string all_bytes;
    for (int byte = 0; byte < 256; ++byte)
        all_bytes.push_back(static_cast<char>(byte));
    using namespace std::string_literals;
    return {
        "",
        " ",
        "a\nb",
        "\n",
        "\r\ntimestamp=2025-01-01T00:00:00.000000000Z node=\"x\"",
        "\" success=yes exit=0 exe=\"/bin/true",
        "\\",
        "\\\\",
        "\\\"",
        "\\n",
        "\\x41\\u{41}",
        "?",
        "(none)",
        "\x1b[2J\x1b]0;owned\x07",
        "\0"s,
        "a\0b"s,
        "\x7f",
        "\u0085\u009b31m",                 // C1: next line, control sequence introducer
        "\u00a0\u00ad",                    // no-break space, soft hyphen
        "file\u202egnp.exe",               // right-to-left override
        "\u2066isolate\u2069\u200f\u061c", // isolates and marks
        "line\u2028separator\u2029",
        "zero\u200bwidth\u200djoiner\ufeff",
        "\ufdd0\uffff\U0001fffe\U0010ffff",     // non-characters
        "\ue000\U000f0000\U000e0041",           // private use, tags
        "\xff\xfe",                             // never in UTF-8
        "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", // overlong slashes
        "\xed\xa0\x80\xed\xbf\xbf",             // surrogates
        "\xf4\x90\x80\x80\xf5\x80\x80\x80",     // beyond U+10FFFF
        "\xe2\x82",                             // cut short
        "\xe2\x82\xe2\x82\xac",                 // cut short, then whole
        "caf\xe9",                              // Latin-1
        "\ufffd",                               // a replacement character of its own
        "grüße/日本語/файл/שלום/😀",
        "long enough to be taken sixteen bytes at a time\nand then some more of it",
        controls,
        all_bytes,
        std::string(4096, '\n'),
        std::string(5000, 'x'),
    };
}

/// Bytes that make escaping work: all kinds, in runs of all lengths.
inline std::string random_bytes(std::mt19937& random, size_t longest) {
    static const std::vector<std::string> pieces = hostile_strings();
    std::string bytes;
    const size_t length = random() % (longest + 1);
    while (bytes.size() < length) {
        switch (random() % 4) {
        case 0:
            bytes.push_back(static_cast<char>(random()));
            break;
        case 1:
            bytes.append(random() % 40, static_cast<char>('a' + random() % 26));
            break;
        case 2:
            bytes.append(pieces[random() % (pieces.size() - 4)].substr(0, 20));
            break;
        default:
            bytes.append("/");
            break;
        }
    }
    bytes.resize(length);
    return bytes;
}

/// Strings each ended by NUL, as a StringList has them.
inline std::string string_list(const std::vector<std::string>& strings) {
    std::string list;
    for (const std::string& string : strings)
        list.append(string).push_back('\0');
    return list;
}

/// An execve of which processes chose every byte.
struct RandomExecve {
    explicit RandomExecve(std::mt19937& random) : arguments(random() % 5) {
        for (std::string& argument : arguments) {
            argument = random_bytes(random, 60);
            std::erase(argument, '\0'); // an argument ends there
        }
        argv = string_list(arguments);
        comm = random_bytes(random, 15);
        path = random_bytes(random, 200);
        event.comm = comm;
        event.image.argv = known<telemetry::StringList>(argv);
        add_path(event, 0, path);
    }
    RandomExecve(const RandomExecve&) = delete; // the event refers to its strings

    std::vector<std::string> arguments;
    std::string argv, comm, path;
    Event event = call(execve, 0);
};

inline std::string formatted(telemetry::Formatter& formatter, const Event& event) {
    std::string out;
    formatter.format(event, out);
    return out;
}

inline std::string text_line(const Event& event) {
    return formatted(*telemetry::format_named("text").make(context()), event);
}

inline nlohmann::json json_line(const Event& event) {
    return nlohmann::json::parse(formatted(*telemetry::format_named("json").make(context()), event));
}

} // namespace samples
