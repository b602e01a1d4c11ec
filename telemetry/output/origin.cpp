// SPDX-License-Identifier: MIT
#include "telemetry/output/origin.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fstream>
#include <ifaddrs.h>
#include <map>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <optional>
#include <sys/utsname.h>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "telemetry/base/text/random_uuid.hpp"

namespace telemetry {
namespace {

constexpr size_t longest_file = 64 * 1024;
constexpr size_t most_addresses = 16;
constexpr std::string_view blanks = " \t\r";

std::optional<std::string> small_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(longest_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.empty() || text.size() > longest_file)
        return std::nullopt;
    return text;
}

std::string machine_id(const std::string& root) {
    std::string id = small_file(root + "/etc/machine-id").value_or("");
    id.resize(std::min(id.find('\n'), id.size()));
    const bool is_valid = id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_valid ? id : ""; // "uninitialized" while the system starts for the first time
}

/// A value as a shell reads it: quotes around it go, and backslashes before what they quote.
std::string unquoted(std::string_view value) {
    while (!value.empty() && blanks.find(value.back()) != std::string_view::npos)
        value.remove_suffix(1);
    const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'');
    if (is_quoted && value.front() == value.back())
        value = value.substr(1, value.size() - 2);
    std::string plain;
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size())
            ++i;
        plain += value[i];
    }
    return plain;
}

std::map<std::string, std::string, std::less<>> os_release(const std::string& root) {
    std::map<std::string, std::string, std::less<>> values;
    auto text = small_file(root + "/etc/os-release");
    if (!text)
        text = small_file(root + "/usr/lib/os-release");
    for (std::string_view rest = text ? std::string_view(*text) : std::string_view(); !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const size_t equals = line.find('=');
        if (equals != std::string_view::npos && line.front() != '#')
            values[std::string(line.substr(0, equals))] = unquoted(line.substr(equals + 1));
    }
    return values;
}

/// Of the distributions that a system says it is, or is like, the one that others descend from.
std::string family_of(const std::string& id, const std::string& id_like) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> families = {{
        {"debian", "debian"},
        {"ubuntu", "debian"},
        {"rhel", "redhat"},
        {"fedora", "redhat"},
        {"centos", "redhat"},
        {"amzn", "redhat"},
        {"suse", "suse"},
        {"sles", "suse"},
        {"arch", "arch"},
        {"alpine", "alpine"},
    }};
    const std::string all = ' ' + id + ' ' + id_like + ' ';
    for (const auto& [name, family] : families)
        if (all.find(' ' + std::string(name) + ' ') != std::string::npos)
            return std::string(family);
    return id;
}

std::string text_of(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = nullptr;
    if (address->sa_family == AF_INET)
        bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!bytes || !inet_ntop(address->sa_family, bytes, text.data(), text.size()))
        return "";
    return text.data();
}

std::vector<std::string> addresses() {
    std::vector<std::string> found;
    ifaddrs* first = nullptr;
    if (getifaddrs(&first) != 0)
        return found;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, freeifaddrs);
    for (const ifaddrs* next = first; next && found.size() < most_addresses; next = next->ifa_next) {
        if (!next->ifa_addr || (next->ifa_flags & IFF_LOOPBACK))
            continue;
        if (std::string text = text_of(next->ifa_addr); !text.empty())
            found.push_back(std::move(text));
    }
    return found;
}

} // namespace

Host read_host(const std::string& root) {
    Host host;
    host.id = machine_id(root);
    auto release = os_release(root);
    host.os_name = release["NAME"];
    host.os_version = release["VERSION_ID"];
    host.os_full = release["PRETTY_NAME"];
    host.os_platform = release["ID"];
    host.os_family = family_of(release["ID"], release["ID_LIKE"]);
    utsname system{};
    if (uname(&system) == 0) {
        host.architecture = system.machine;
        host.kernel = system.release;
    }
    host.ip = addresses();
    return host;
}

Agent make_agent(std::string_view type, std::string_view version, std::string_view host_id) {
    // Names of this space are machine ids: machine-id(5) asks not to pass them on as other ids.
    static constexpr boost::uuids::uuid agents = {
        {0x5f, 0x0c, 0x8e, 0x27, 0x9d, 0x41, 0x4b, 0x6a, 0xa1, 0x7e, 0x30, 0xc2, 0x58, 0xd9, 0xb4, 0x13}};
    const std::string name = std::string(type) + ':' + std::string(host_id);
    Agent agent{std::string(type), std::string(version), "", random_uuid()};
    if (!host_id.empty())
        agent.id = to_string(boost::uuids::name_generator_sha1(agents)(name));
    return agent;
}

} // namespace telemetry
