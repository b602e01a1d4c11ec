// SPDX-License-Identifier: MIT
// /proc/<pid>/net/tcp and tcp6: the connections of that process's network namespace.
#include "imds/conversation/open_connections.hpp"

#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <sys/socket.h>

#include "telemetry/process/procfs.hpp"

namespace telemetry::imds {
namespace {

/// The states of include/net/tcp_states.h in which a process may still move bytes.
constexpr unsigned int state_time_wait = 6, state_close = 7, state_listen = 10, state_new = 12;

/// Removes the next word from the line and returns it.
std::string_view next_word(std::string_view& line) {
    const size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    line.remove_prefix(end);
    return word;
}

std::optional<uint32_t> hexadecimal(std::string_view digits) {
    uint32_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, number, 16);
    return error == std::errc() && at == end && !digits.empty() ? std::optional(number) : std::nullopt;
}

/// Parses "FEA9FEA9:0050": the address as 32-bit words in host byte order, and the port.
std::optional<ServiceAddress> address_of(std::string_view text) {
    SocketInfo ends;
    const size_t colon = text.find(':');
    if (colon != 8 && colon != 32)
        return std::nullopt;
    ends.family = colon == 8 ? AF_INET : AF_INET6;
    for (size_t at = 0; at < colon; at += 8) {
        const auto word = hexadecimal(text.substr(at, 8));
        if (!word)
            return std::nullopt;
        std::memcpy(ends.remote.data() + at / 2, &*word, sizeof(*word));
    }
    const auto port = hexadecimal(text.substr(colon + 1));
    if (!port)
        return std::nullopt;
    ends.remote_port = static_cast<uint16_t>(*port);
    return remote_address(ends);
}

void note_connection(std::string_view line, const Endpoints& endpoints, uint32_t netns,
                     OpenConnections& open) {
    next_word(line); // number
    const auto local = address_of(next_word(line));
    const auto remote = address_of(next_word(line));
    const auto state = hexadecimal(next_word(line));
    if (!local || !remote || !state || *state == state_time_wait || *state == state_close ||
        *state == state_listen || *state == state_new)
        return;
    for (int i = 0; i < 5; ++i) // queues, timer, retransmissions, user, time-out
        next_word(line);
    const bool is_orphan = next_word(line) == "0"; // no inode: no descriptor leads to it
    if (!is_orphan && endpoints.find(*remote))
        open.add(*remote, local->port, netns);
}

/// Returns false if the file cannot be read to its end.
bool note_all_in(const std::string& file, const Endpoints& endpoints, uint32_t netns, OpenConnections& open) {
    std::ifstream lines(file);
    std::string line;
    if (!std::getline(lines, line)) // the headings
        return false;
    while (std::getline(lines, line))
        note_connection(line, endpoints, netns, open);
    return lines.eof();
}

} // namespace

OpenConnections OpenConnections::list(const std::string& proc_root, const Endpoints& endpoints) {
    OpenConnections open;
    std::set<uint32_t> seen;
    const Procfs procfs(proc_root);
    for (const uint32_t pid : procfs.processes()) {
        const uint32_t netns = procfs.namespace_of(pid, "net");
        if (!netns || seen.contains(netns))
            continue;
        const std::string process = proc_root + '/' + std::to_string(pid);
        const bool is_whole = note_all_in(process + "/net/tcp", endpoints, netns, open);
        note_all_in(process + "/net/tcp6", endpoints, netns, open); // absent without IPv6
        if (is_whole) // else the process has ended, and another one may be in the namespace
            seen.insert(netns);
    }
    open.is_unknown_ = seen.empty();
    return open;
}

bool OpenConnections::has(const ServiceAddress& remote, uint16_t local_port, uint32_t netns) const {
    const auto found = all_.lower_bound({remote, local_port, netns});
    if (found == all_.end() || std::get<0>(*found) != remote || std::get<1>(*found) != local_port)
        return false;
    return !netns || std::get<2>(*found) == netns;
}

} // namespace telemetry::imds
