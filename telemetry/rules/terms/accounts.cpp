// SPDX-License-Identifier: MIT
#include "telemetry/rules/terms/accounts.hpp"

#include <charconv>
#include <fstream>

namespace telemetry::rules::terms {
namespace {

constexpr size_t MOST_LINES = 100000;

std::string root_of_accounts;

/// "NAME:x:ID:..."
std::optional<uint32_t> id_of(std::string_view line, std::string_view name) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':')
        return std::nullopt;
    const size_t colon = line.find(':', name.size() + 1);
    if (colon == line.npos)
        return std::nullopt;
    uint32_t id = 0;
    const char* end = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + colon + 1, end, id);
    return error == std::errc() && (stop == end || *stop == ':') ? std::optional(id) : std::nullopt;
}

} // namespace

void find_accounts_below(const std::string& root) {
    root_of_accounts = root;
}

std::string id_file(Ids ids) {
    return root_of_accounts + (ids == Ids::groups ? "/etc/group" : "/etc/passwd");
}

std::optional<uint32_t> find_id(const std::string& file, std::string_view name) {
    if (name.empty() || name.find(':') != name.npos)
        return std::nullopt;
    std::ifstream stream(file);
    std::string line;
    for (size_t lines = 0; lines < MOST_LINES && std::getline(stream, line); ++lines)
        if (const auto id = id_of(line, name))
            return id;
    return std::nullopt;
}

std::optional<uint32_t> find_id(Ids ids, std::string_view name) {
    return ids == Ids::none ? std::nullopt : find_id(id_file(ids), name);
}

} // namespace telemetry::rules::terms
