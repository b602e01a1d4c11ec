// SPDX-License-Identifier: MIT
// /proc/<pid>/net/tcp and tcp6: the connections of that process's network namespace.
#include "imds/streams.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace telemetry::imds {
namespace {

/// States of a socket that a process may yet move bytes over, as include/net/tcp_states.h has them.
constexpr unsigned int state_time_wait = 6, state_close = 7, state_listen = 10, state_new = 12;

/// Takes the next word off a line.
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

/// "FEA9FEA9:0050": words of memory, each as a number, and the port.
std::optional<SocketInfo> remote_end(std::string_view text) {
    SocketInfo ends;
    const size_t colon = text.find(':');
    if (colon != 8 && colon != 32)
        return std::nullopt;
    ends.family = colon == 8 ? AF_INET : AF_INET6;
    for (size_t at = 0; at < colon; at += 8) {
        const auto word = hexadecimal(text.substr(at, 8));
        if (!word)
            return std::nullopt;
        std::memcpy(ends.remote.data() + at / 2, &*word, sizeof *word);
    }
    const auto port = hexadecimal(text.substr(colon + 1));
    if (!port)
        return std::nullopt;
    ends.remote_port = static_cast<uint16_t>(*port);
    return ends;
}

bool is_open_to_endpoint(std::string_view line, const Endpoints& endpoints) {
    next_word(line); // number
    next_word(line); // local end
    const auto remote = remote_end(next_word(line));
    const auto state = hexadecimal(next_word(line));
    if (!remote || !state || *state == state_time_wait || *state == state_close || *state == state_listen ||
        *state == state_new)
        return false;
    for (int i = 0; i < 5; i++) // queues, timer, retransmissions, user, time-out
        next_word(line);
    const bool is_orphan = next_word(line) == "0"; // no inode: no descriptor leads to it
    return !is_orphan && endpoints.find(remote_place(*remote));
}

/// nullopt: the file cannot be read, or not to its end.
std::optional<bool> any_in(const std::string& file, const Endpoints& endpoints) {
    std::ifstream lines(file);
    std::string line;
    if (!std::getline(lines, line)) // the headings
        return std::nullopt;
    while (std::getline(lines, line))
        if (is_open_to_endpoint(line, endpoints))
            return true;
    return lines.eof() ? std::optional(false) : std::nullopt;
}

/// The name of the process's network namespace: "net:[4026531840]".
std::string namespace_of(const std::string& process) {
    std::array<char, 64> name;
    const ssize_t length = readlink((process + "/ns/net").c_str(), name.data(), name.size());
    return length > 0 ? std::string(name.data(), static_cast<size_t>(length)) : std::string();
}

} // namespace

bool any_connection(const std::string& proc_root, const Endpoints& endpoints) {
    std::set<std::string> seen;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(proc_root, error)) {
        const std::string process = entry.path();
        if (!std::isdigit(static_cast<unsigned char>(entry.path().filename().native().front())))
            continue;
        const std::string name = namespace_of(process);
        if (name.empty() || seen.contains(name))
            continue;
        const auto ipv4 = any_in(process + "/net/tcp", endpoints);
        const auto ipv6 = any_in(process + "/net/tcp6", endpoints); // none without IPv6
        if (ipv4.value_or(false) || ipv6.value_or(false))
            return true;
        if (ipv4) // else the process is gone: another may be there
            seen.insert(name);
    }
    return seen.empty();
}

} // namespace telemetry::imds
